// Package browser looks at the exporter's pages as people do: with a browser, a keyboard, in the dark, on a phone, without JavaScript, and through
// axe-core, which finds what a screen reader would stumble over. The tests need the build tag browser, Chromium, and npm ci in this folder.
package browser
