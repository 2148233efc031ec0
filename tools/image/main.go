// Command image makes the container images from binaries that are already built: without a Docker engine, without a base image to
// download, and the same bytes each time. What an image says of itself stands in the last stage of the Dockerfile.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
)

// options are the program's flags and arguments.
type options struct {
	dockerfile string
	folder     string
	tag        string
	arguments  map[string]string // of the Dockerfile
	created    time.Time
	push       bool
	binaries   map[string]string // by architecture
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	log.SetFlags(0)
	o, err := parse(os.Args[1:], os.Getenv("SOURCE_DATE_EPOCH"))
	if err == nil {
		err = run(ctx, o, os.Stdout)
	}
	if err != nil {
		log.Fatal(err)
	}
}

// parse reads the command line. epoch is SOURCE_DATE_EPOCH, the date that everything in an image gets.
func parse(args []string, epoch string) (options, error) {
	o := options{arguments: map[string]string{}, binaries: map[string]string{}}
	flags := flag.NewFlagSet("image", flag.ContinueOnError)
	flags.StringVar(&o.dockerfile, "dockerfile", "../../deploy/Dockerfile", "Dockerfile whose last stage describes the image")
	flags.StringVar(&o.folder, "out", "../../dist", "folder to write image-linux-ARCH.tar to")
	flags.StringVar(&o.tag, "tag", "", "name of the image, REPOSITORY:TAG")
	flags.BoolVar(&o.push, "push", false, "push all architectures as one image, too, with the credentials of docker login")
	flags.Func("arg", "NAME=VALUE of an ARG of the Dockerfile; repeatable", func(text string) error { return assign(o.arguments, text) })
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	for _, text := range flags.Args() {
		if err := assign(o.binaries, text); err != nil {
			return o, fmt.Errorf("a binary is given as ARCH=FILE: %w", err)
		}
	}
	if len(o.binaries) == 0 {
		return o, errors.New("no binary: give ARCH=FILE")
	}
	seconds, err := strconv.ParseInt(epoch, 10, 64)
	if err != nil {
		return o, fmt.Errorf("SOURCE_DATE_EPOCH must say the commit's date, else no two images are the same: %w", err)
	}
	o.created = time.Unix(seconds, 0).UTC()
	return o, nil
}

func assign(to map[string]string, text string) error {
	key, value, ok := strings.Cut(text, "=")
	if !ok || key == "" || value == "" {
		return fmt.Errorf("%q is not NAME=VALUE", text)
	}
	to[key] = value
	return nil
}

// run writes the images, and says the digest of each and of what was pushed.
func run(ctx context.Context, o options, stdout io.Writer) error {
	tag, err := name.NewTag(o.tag, name.StrictValidation)
	if err != nil {
		return fmt.Errorf("reading --tag: %w", err)
	}
	text, err := os.ReadFile(o.dockerfile)
	if err != nil {
		return fmt.Errorf("reading the Dockerfile: %w", err)
	}
	stage, err := parseLastStage(string(text), o.arguments)
	if err != nil {
		return fmt.Errorf("reading %s: %w", o.dockerfile, err)
	}
	images, err := build(stage, o.binaries, o.created)
	if err != nil {
		return err
	}
	for _, image := range images {
		file := filepath.Join(o.folder, "image-linux-"+image.architecture+".tar")
		size, err := writeArchive(file, tag, image, o.created)
		if err != nil {
			return fmt.Errorf("writing %s: %w", file, err)
		}
		digest, err := image.Digest()
		if err != nil {
			return err
		}
		fmt.Fprintf(stdout, "%s %s %.1f MB, unpacked %.1f MB\n", filepath.Base(file), digest, megabytes(size), megabytes(image.unpacked))
	}
	if !o.push {
		return nil
	}
	digest, err := push(ctx, tag, images, stage.labels)
	if err != nil {
		return fmt.Errorf("pushing %s: %w", tag, err)
	}
	fmt.Fprintf(stdout, "%s@%s\n", tag.Repository, digest)
	return nil
}
