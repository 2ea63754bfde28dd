// Each fault, made once in a set-up that has none.

package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const goodCompose = `
services:
  base:
    image: example.org:5000/base:1.2.3
    healthcheck: { test: ["CMD", "true"] }
    ports: ["127.0.0.1:80-90:80"]
  once:
    build: { context: ., dockerfile: Dockerfile }
    depends_on: { base: { condition: service_healthy } }
  node:
    image: node:2.10.0-slim
    profiles: [more]
    healthcheck: { test: ["CMD", "true"] }
    restart: unless-stopped
    depends_on: { once: { condition: service_completed_successfully } }
    volumes: ["./settings.toml:/etc/settings.toml:ro", "data:/data"]
volumes: { data: {} }
`

const goodDockerfile = `
# A comment.
FROM --platform=linux/amd64 rust:1.95.0-slim AS build
RUN first \
    # between lines
    && second
FROM debian:bookworm-20260824-slim
COPY --from=build /a /a
USER 65532:65532
HEALTHCHECK --interval=5s CMD ["a"]
`

// change replaces text that is there, once.
type change struct{ old, new string }

func (c change) in(t *testing.T, text string) string {
	t.Helper()
	if c.old != "" && strings.Count(text, c.old) != 1 {
		t.Fatalf("%q stands in the text %d times", c.old, strings.Count(text, c.old))
	}
	return strings.Replace(text, c.old, c.new, 1)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// faultsOf loads the set-up with one change in either file.
func faultsOf(t *testing.T, compose, dockerfile change) []string {
	t.Helper()
	folder := t.TempDir()
	file := filepath.Join(folder, "docker-compose.yml")
	write(t, file, compose.in(t, goodCompose))
	write(t, filepath.Join(folder, "Dockerfile"), dockerfile.in(t, goodDockerfile))
	write(t, filepath.Join(folder, "settings.toml"), "")
	project, err := load(t.Context(), file)
	if err != nil {
		return []string{"does not load: " + err.Error()}
	}
	faults := check(project)
	for number := range faults {
		faults[number] = strings.ReplaceAll(faults[number], folder, "HERE")
	}
	return faults
}

func TestFaultsOfComposeFiles(t *testing.T) {
	for name, test := range map[string]struct {
		change
		expect []string
	}{
		"none": {change{}, nil},
		"no tag": {
			change{"example.org:5000/base:1.2.3", "example.org:5000/base"},
			[]string{`base: the image "example.org:5000/base" has no exact version`},
		},
		"a moving tag": {
			change{"node:2.10.0-slim", "node:2.10-slim"},
			[]string{`node: the image "node:2.10-slim" has no exact version`},
		},
		"no image": {
			change{"    image: node:2.10.0-slim\n", ""},
			[]string{`does not load: service "node" has neither an image nor a build context specified: invalid compose project`},
		},
		"a Dockerfile that is not there": {
			change{"dockerfile: Dockerfile", "dockerfile: Other"},
			[]string{"once: the Dockerfile can't be read: open HERE/Other: no such file or directory"},
		},
		"no health check": {
			change{"    healthcheck: { test: [\"CMD\", \"true\"] }\n    restart", "    restart"},
			[]string{"node: it has no health check, and nobody waits for its end"},
		},
		"a health check turned off": {
			change{"\"true\"] }\n    restart", "\"true\"], disable: true }\n    restart"},
			[]string{"node: it has no health check, and nobody waits for its end"},
		},
		"a health check that is none": {
			change{"test: [\"CMD\", \"true\"] }\n    restart", "test: [\"NONE\"] }\n    restart"},
			[]string{"node: it has no health check, and nobody waits for its end"},
		},
		"waiting for the health of one that tells none": {
			change{"service_completed_successfully", "service_healthy"},
			[]string{
				"node: it waits until once is healthy, which has no health check",
				"once: it has no health check, and nobody waits for its end",
			},
		},
		"waiting for the end of one that is restarted": {
			change{"  once:\n", "  once:\n    restart: always\n"},
			[]string{"node: it waits for the end of once, which is restarted"},
		},
		"waiting for a start": {
			change{"{ base: { condition: service_healthy } }", "[base]"},
			[]string{"once: it waits for base by service_started, which is not to be ready"},
		},
		"waiting for one that is not there": {
			change{"{ base: {", "{ bass: {"},
			[]string{`does not load: service "once" depends on undefined service "bass": invalid compose project`},
		},
		"an open port": {
			change{"127.0.0.1:80-90:80", "80:80"},
			[]string{`base: port 80 is published on "", not on 127.0.0.1`},
		},
		"a port on all addresses": {
			change{"127.0.0.1:80-90:80", "0.0.0.0:80:80"},
			[]string{`base: port 80 is published on "0.0.0.0", not on 127.0.0.1`},
		},
		"a privileged service": {
			change{"  base:\n", "  base:\n    privileged: true\n"},
			[]string{"base: it is privileged"},
		},
		"the machine's network": {
			change{"    ports: [\"127.0.0.1:80-90:80\"]\n", "    network_mode: host\n"},
			[]string{"base: it shares the machine's network"},
		},
		"a file that is not there": {
			change{"./settings.toml:", "./gone.toml:"},
			[]string{"node: what is mounted at /etc/settings.toml is not there: stat HERE/gone.toml: no such file or directory"},
		},
		"a file that could be written to": {
			change{"settings.toml:ro", "settings.toml"},
			[]string{"node: what is mounted at /etc/settings.toml could be written to"},
		},
		"a volume that is not there": {
			change{"volumes: { data: {} }", ""},
			[]string{`does not load: service "node" refers to undefined volume data: invalid compose project`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if faults := faultsOf(t, test.change, change{}); !slices.Equal(faults, test.expect) {
				t.Errorf("found  %q\nexpect %q", faults, test.expect)
			}
		})
	}
}

func TestUnknownMembersAreRefused(t *testing.T) {
	faults := faultsOf(t, change{"    profiles:", "    profile:"}, change{})
	if len(faults) != 1 || !strings.Contains(faults[0], "profile") {
		t.Errorf("%q", faults)
	}
}
