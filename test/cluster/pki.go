package cluster

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// identity is who a certificate speaks for: a user and group of Kubernetes, or a server's addresses.
type identity struct {
	file       string // NAME.crt and NAME.key
	user       string
	group      string
	names      []string
	addresses  []string
	kubeconfig bool // NAME.conf too
}

func identities() []identity {
	return []identity{
		{
			file: "kube-apiserver", user: "kube-apiserver",
			names: []string{"localhost", "kubernetes.default.svc"}, addresses: []string{"127.0.0.1", serviceAddress},
		},
		{file: "kubelet-client", user: "kube-apiserver-kubelet-client", group: "system:masters"},
		{file: "service-account", user: "service-account"}, // of which only the key is used
		{file: "admin", user: "admin", group: "system:masters", kubeconfig: true},
		{file: "kube-controller-manager", user: "system:kube-controller-manager", kubeconfig: true},
		{file: "kube-scheduler", user: "system:kube-scheduler", kubeconfig: true},
		{
			file: "kubelet", user: "system:node:" + nodeName, group: "system:nodes",
			names: []string{nodeName}, addresses: []string{nodeAddress}, kubeconfig: true,
		},
	}
}

// writePKI writes all keys, certificates and kubeconfigs to the folder.
func (c *Cluster) writePKI() error {
	if err := os.MkdirAll(c.path("pki"), 0o700); err != nil {
		return err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "kube-failure-exporter-e2e"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(0, 0, 7),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	key, err := c.writeCertificate("ca", template, nil, nil)
	if err != nil {
		return err
	}
	for i, id := range identities() {
		leaf := &x509.Certificate{
			SerialNumber: big.NewInt(int64(i) + 2), Subject: pkix.Name{CommonName: id.user},
			NotBefore: template.NotBefore, NotAfter: template.NotAfter, DNSNames: id.names, KeyUsage: x509.KeyUsageDigitalSignature,
			ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		}
		if id.group != "" {
			leaf.Subject.Organization = []string{id.group}
		}
		for _, a := range id.addresses {
			leaf.IPAddresses = append(leaf.IPAddresses, net.ParseIP(a))
		}
		if _, err := c.writeCertificate(id.file, leaf, template, key); err != nil {
			return err
		}
		if id.kubeconfig {
			user := &clientcmdapi.AuthInfo{ClientCertificate: c.pki(id.file + ".crt"), ClientKey: c.pki(id.file + ".key")}
			if err := c.writeKubeconfig(c.path(id.file+".conf"), "default", user); err != nil {
				return err
			}
		}
	}
	return nil
}

// writeCertificate makes a key and its certificate, which signs itself where there is no issuer.
func (c *Cluster) writeCertificate(name string, cert, issuer *x509.Certificate, issuerKey crypto.Signer) (crypto.Signer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	if issuer == nil {
		issuer, issuerKey = cert, key
	}
	signed, err := x509.CreateCertificate(rand.Reader, cert, issuer, key.Public(), issuerKey)
	if err != nil {
		return nil, fmt.Errorf("signing the certificate %s: %w", name, err)
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, err
	}
	if err := writePEM(c.pki(name+".crt"), "CERTIFICATE", signed); err != nil {
		return nil, err
	}
	return key, writePEM(c.pki(name+".key"), "EC PRIVATE KEY", private)
}

func writePEM(name, kind string, der []byte) error {
	return os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}

func (c *Cluster) writeKubeconfig(name, namespace string, user *clientcmdapi.AuthInfo) error {
	conf := clientcmdapi.NewConfig()
	conf.Clusters["e2e"] = &clientcmdapi.Cluster{Server: c.Server(), CertificateAuthority: c.pki("ca.crt")}
	conf.AuthInfos["user"] = user
	conf.Contexts["e2e"] = &clientcmdapi.Context{Cluster: "e2e", AuthInfo: "user", Namespace: namespace}
	conf.CurrentContext = "e2e"
	return clientcmd.WriteToFile(*conf, name)
}

func (c *Cluster) pki(name string) string { return filepath.Join(c.dir, "pki", name) }
