// Which images are started: each of an exact version, or built from a Dockerfile that is there.

package main

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
)

var (
	// A version of three numbers, or a day, within a tag: 26.7.4, 2.12.8-alpine, bookworm-20260824-slim.
	exactTag = regexp.MustCompile(`(^|[^0-9.])([0-9]+\.[0-9]+\.[0-9]+|20[0-9]{6})([^0-9.]|$)`)
	digest   = regexp.MustCompile(`@sha256:[0-9a-f]{64}$`)
)

// isExact tells whether an image's name means the same image tomorrow.
func isExact(image string) bool {
	if digest.MatchString(image) {
		return true
	}
	// A colon before the last slash is a registry's port.
	name := image[strings.LastIndex(image, "/")+1:]
	_, tag, _ := strings.Cut(name, ":")
	return exactTag.MatchString(tag)
}

func checkImage(service types.ServiceConfig) []string {
	if service.Build != nil {
		file := service.Build.Dockerfile
		if !filepath.IsAbs(file) {
			file = filepath.Join(service.Build.Context, file)
		}
		return checkDockerfile(file)
	}
	if !isExact(service.Image) {
		return []string{fmt.Sprintf("the image %q has no exact version", service.Image)}
	}
	return nil
}
