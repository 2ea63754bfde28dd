// What a Dockerfile says of its bases, and of who runs what it makes.

package main

import (
	"fmt"
	"os"
	"regexp"
	"strings"
)

// instruction is one of a Dockerfile's, its words without those that only continue a line.
type instruction struct {
	name  string
	words []string
}

// A user by number, with a group or without: names are known in the image only, and whether one is root can't be told.
var userNumber = regexp.MustCompile(`^([0-9]+)(:[0-9]+)?$`)

func checkDockerfile(file string) []string {
	text, err := os.ReadFile(file)
	if err != nil {
		return []string{fmt.Sprintf("the Dockerfile can't be read: %v", err)}
	}
	var faults []string
	stages := map[string]bool{"scratch": true}
	user, isChecked := "", false
	mustBeExact := func(image string) {
		if !stages[image] && !isExact(image) {
			faults = append(faults, fmt.Sprintf("the Dockerfile's base %q has no exact version", image))
		}
	}
	for _, instruction := range instructions(string(text)) {
		words := instruction.words
		switch instruction.name {
		case "FROM":
			for len(words) > 0 && strings.HasPrefix(words[0], "--") {
				words = words[1:]
			}
			if len(words) == 0 {
				return []string{"the Dockerfile has a FROM without an image"}
			}
			mustBeExact(words[0])
			if len(words) == 3 && strings.EqualFold(words[1], "AS") {
				stages[words[2]] = true
			}
			// Each stage begins as its base ends, and of bases nothing is known here.
			user, isChecked = "", false
		case "COPY":
			for _, word := range words {
				if image, isFrom := strings.CutPrefix(word, "--from="); isFrom {
					mustBeExact(image)
				}
			}
		case "USER":
			user = strings.Join(words, " ")
		case "HEALTHCHECK":
			isChecked = len(words) > 0 && !strings.EqualFold(words[0], "NONE")
		}
	}
	number := userNumber.FindStringSubmatch(user)
	if number == nil || strings.Trim(number[1], "0") == "" {
		faults = append(faults, fmt.Sprintf("the Dockerfile ends as the user %q: expected a number that is not root's", user))
	}
	if !isChecked {
		faults = append(faults, "the Dockerfile's last stage has no HEALTHCHECK")
	}
	return faults
}

// instructions takes a Dockerfile apart. Here-documents are not known: a body that looks like an instruction is one.
func instructions(text string) []instruction {
	var found []instruction
	var pending []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		// Empty lines and comments may also stand between the lines of one instruction.
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		line, isContinued := strings.CutSuffix(line, `\`)
		pending = append(pending, strings.Fields(line)...)
		if isContinued || len(pending) == 0 {
			continue
		}
		found = append(found, instruction{name: strings.ToUpper(pending[0]), words: pending[1:]})
		pending = nil
	}
	return found
}
