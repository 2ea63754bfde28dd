// Dashboards ask only for metrics that the sources register.

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

const prefix = "tidegate_"

var (
	metricAsked = regexp.MustCompile(`\b` + prefix + `[a-z0-9_]+`)
	// A name is the first of the arguments that register it.
	nameInSource = regexp.MustCompile(`"([a-z][a-z0-9_]*)",`)
	// What the format puts behind the name of a counter and of a histogram, and before that behind one with a unit.
	suffixes = []string{"", "_total", "_bucket", "_sum", "_count", "_seconds_bucket", "_seconds_sum", "_seconds_count"}
)

// The folders of the sources; tests beside them register nothing.
var sourceFolders = []string{"access/src", "gateway/src", "ingest/src", "src", "store/src"}

// checkMetrics tells how many metrics the dashboards in a folder ask for, and each that the sources below root do not
// have. Which suffix goes with which is for tests/e2e/deploy.rs, which reads what a node really answers.
func checkMetrics(root, dashboards string) (int, []string) {
	asked, err := metricsAsked(dashboards)
	if err != nil {
		return 0, []string{err.Error()}
	}
	if len(asked) == 0 {
		return 0, []string{fmt.Sprintf("no dashboard in %s asks for a metric", dashboards)}
	}
	known, err := namesInSources(root)
	if err != nil {
		return 0, []string{err.Error()}
	}
	var faults []string
	for _, metric := range slices.Sorted(maps.Keys(asked)) {
		isKnown := slices.ContainsFunc(suffixes, func(suffix string) bool {
			name, fits := strings.CutSuffix(strings.TrimPrefix(metric, prefix), suffix)
			return fits && known[name]
		})
		if !isKnown {
			faults = append(faults, fmt.Sprintf("%s asks for %s, which no source registers", asked[metric], metric))
		}
	}
	return len(asked), faults
}

// metricsAsked gives the metrics of the queries of every dashboard in a folder, each with a dashboard that asks for it.
func metricsAsked(folder string) (map[string]string, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil {
		return nil, err
	}
	asked := map[string]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var dashboard any
		if err := json.Unmarshal(text, &dashboard); err != nil {
			return nil, fmt.Errorf("%s is not JSON: %w", file, err)
		}
		eachQuery(dashboard, func(query string) {
			for _, metric := range metricAsked.FindAllString(query, -1) {
				asked[metric] = filepath.Base(file)
			}
		})
	}
	return asked, nil
}

// eachQuery hands on every text that stands where Grafana keeps queries, at any depth.
func eachQuery(value any, found func(string)) {
	switch value := value.(type) {
	case map[string]any:
		for name, member := range value {
			if text, isText := member.(string); isText && slices.Contains([]string{"expr", "query", "definition"}, name) {
				found(text)
			}
			eachQuery(member, found)
		}
	case []any:
		for _, member := range value {
			eachQuery(member, found)
		}
	}
}

// namesInSources gives the texts that may be a metric's name, of the sources that make metrics.
func namesInSources(root string) (map[string]bool, error) {
	names := map[string]bool{}
	for _, folder := range sourceFolders {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || filepath.Ext(path) != ".rs" {
				return err
			}
			text, err := os.ReadFile(path)
			if err != nil || !bytes.Contains(text, []byte("prometheus_client")) {
				return err
			}
			for _, name := range nameInSource.FindAllSubmatch(text, -1) {
				names[string(name[1])] = true
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return names, nil
}
