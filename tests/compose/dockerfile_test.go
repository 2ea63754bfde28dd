// Each fault of a Dockerfile and of an image's name.

package main

import (
	"slices"
	"strings"
	"testing"
)

func TestFaultsOfDockerfiles(t *testing.T) {
	user := func(user string) string {
		return `once: the Dockerfile ends as the user "` + user + `": expected a number that is not root's`
	}
	for name, test := range map[string]struct {
		change
		expect []string
	}{
		"none":    {change{}, nil},
		"no user": {change{"USER 65532:65532\n", ""}, []string{user("")}},
		"a name":  {change{"USER 65532:65532", "USER tidegate"}, []string{user("tidegate")}},
		"root":    {change{"USER 65532:65532", "USER 0:65532"}, []string{user("0:65532")}},
		"root in the end": {
			change{"HEALTHCHECK", "USER 00\nHEALTHCHECK"}, []string{user("00")},
		},
		"a comment that looks continued": {
			change{"USER", "# And so on: \\\nUSER"}, nil,
		},
		"a user of another stage": {
			change{"FROM debian", "USER 65532\nFROM debian:bookworm-20260824-slim\nFROM debian"}, nil,
		},
		"a user of an earlier stage only": {
			change{"USER 65532:65532\nHEALTHCHECK --interval=5s CMD [\"a\"]\n",
				"USER 65532\nHEALTHCHECK CMD a\nFROM scratch\n"},
			[]string{user(""), "once: the Dockerfile's last stage has no HEALTHCHECK"},
		},
		"no health check": {
			change{"HEALTHCHECK --interval=5s CMD [\"a\"]", "HEALTHCHECK NONE"},
			[]string{"once: the Dockerfile's last stage has no HEALTHCHECK"},
		},
		"a moving base": {
			change{"rust:1.95.0-slim", "rust:1-slim"},
			[]string{`once: the Dockerfile's base "rust:1-slim" has no exact version`},
		},
		"a moving base to copy from": {
			change{"--from=build", "--from=node:22"},
			[]string{`once: the Dockerfile's base "node:22" has no exact version`},
		},
		"no base": {change{"FROM debian:bookworm-20260824-slim", "FROM"}, []string{
			"once: the Dockerfile has a FROM without an image",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			if faults := faultsOf(t, change{}, test.change); !slices.Equal(faults, test.expect) {
				t.Errorf("found  %q\nexpect %q", faults, test.expect)
			}
		})
	}
}

func TestImages(t *testing.T) {
	hash := strings.Repeat("0a", 32)
	for image, expect := range map[string]bool{
		"a:1.2.3":                   true,
		"a/b:v1.2.3":                true,
		"a:1.2.3-alpine":            true,
		"debian:bookworm-20260824":  true,
		"a@sha256:" + hash:          true,
		"a:latest":                  false,
		"a":                         false,
		"a:1.2":                     false,
		"a:1.2.3.4":                 false,
		"a:3-1.2":                   false,
		"1.2.3/a":                   false,
		"host:1.2.3/a":              false,
		"a@sha256:" + hash[1:]:      false,
		"debian:bookworm-2026082":   false,
		"debian:bookworm-202608241": false,
		"registry:5000/a:nightly":   false,
	} {
		if isExact(image) != expect {
			t.Errorf("%s: expected %t", image, expect)
		}
	}
}
