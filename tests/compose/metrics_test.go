// What dashboards ask for, and what is registered.

package main

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const source = `
use prometheus_client::registry::Registry;
registry.register("http_requests", "Requests", counter);
counter("rows", "Rows", &self.rows);
registry.register_with_unit("sync", "Syncs", Unit::Seconds, histogram);
`

func TestMetricsOfDashboards(t *testing.T) {
	for name, test := range map[string]struct {
		dashboard string
		asked     int
		expect    []string
	}{
		"all there": {
			`{"panels": [{"targets": [
				{"expr": "rate(tidegate_http_requests_total[1m]) / tidegate_rows"},
				{"expr": "histogram_quantile(0.99, sum by (le) (rate(tidegate_sync_seconds_bucket[1m])))"}
			]}]}`, 3, nil,
		},
		"gone": {
			`{"panels": [{"panels": [{"targets": [{"expr": "tidegate_http_request_total"}]}]}]}`, 1,
			[]string{"a.json asks for tidegate_http_request_total, which no source registers"},
		},
		"in a variable": {
			`{"templating": {"list": [{"query": "label_values(tidegate_gone, route)"}]}}`, 1,
			[]string{"a.json asks for tidegate_gone, which no source registers"},
		},
		"of a source that registers nothing": {
			`{"expr": "tidegate_other"}`, 1,
			[]string{"a.json asks for tidegate_other, which no source registers"},
		},
		"in a text":  {`{"description": "tidegate_rows"}`, 0, []string{"no dashboard in HERE asks for a metric"}},
		"no query":   {`{}`, 0, []string{"no dashboard in HERE asks for a metric"}},
		"not a JSON": {`{`, 0, []string{"HERE/a.json is not JSON: unexpected end of JSON input"}},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			dashboards := filepath.Join(root, "dashboards")
			write(t, filepath.Join(dashboards, "a.json"), test.dashboard)
			for _, folder := range sourceFolders {
				write(t, filepath.Join(root, folder, "lib.rs"), "")
			}
			write(t, filepath.Join(root, "ingest/src/deep/metrics.rs"), source)
			write(t, filepath.Join(root, "src/other.rs"), `f("other", 1)`)
			asked, faults := checkMetrics(root, dashboards)
			for number := range faults {
				faults[number] = strings.ReplaceAll(faults[number], dashboards, "HERE")
			}
			if asked != test.asked || !slices.Equal(faults, test.expect) {
				t.Errorf("found  %d and %q\nexpect %d and %q", asked, faults, test.asked, test.expect)
			}
		})
	}
}

func TestSourcesMustBeThere(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, "a.json"), `{"expr": "tidegate_rows"}`)
	if _, faults := checkMetrics(root, root); len(faults) != 1 || !strings.Contains(faults[0], "access/src") {
		t.Errorf("%q", faults)
	}
}
