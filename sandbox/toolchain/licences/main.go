// Command licences names the licences that texts are made of.
//
// It reads a JSON list of texts and writes a JSON list of answers, one for each: the licences found, as SPDX names
// them, and how much of the text they cover, in per cent. The corpus and the matching are Google's licensecheck, by
// which pkg.go.dev judges Go modules.
package main

import (
	"encoding/json"
	"log"
	"os"

	"github.com/google/licensecheck"
)

type answer struct {
	Licences []string `json:"licences"`
	Percent  float64  `json:"percent"`
}

func main() {
	var texts []string
	if err := json.NewDecoder(os.Stdin).Decode(&texts); err != nil {
		log.Fatal(err)
	}
	answers := make([]answer, 0, len(texts))
	for _, text := range texts {
		answers = append(answers, judge(text))
	}
	if err := json.NewEncoder(os.Stdout).Encode(answers); err != nil {
		log.Fatal(err)
	}
}

func judge(text string) answer {
	coverage := licensecheck.Scan([]byte(text))
	found := answer{Licences: []string{}, Percent: coverage.Percent}
	for _, match := range coverage.Match {
		found.Licences = append(found.Licences, match.ID)
	}
	return found
}
