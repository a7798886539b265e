// Reads OpenVEX with the library of those who keep the format: every statement must be valid, no field
// may be unknown, and the library must find what we say we stated.
//
//	openvex DOCUMENT EXPECTED
//
// EXPECTED has a line for each package: flaw, machine, package URL, status.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/openvex/go-vex/pkg/vex"
)

func fail(format string, values ...any) {
	fmt.Printf(format+"\n", values...)
	os.Exit(1)
}

func main() {
	text, err := os.ReadFile(os.Args[1])
	if err != nil {
		fail("%v", err)
	}
	strict := json.NewDecoder(bytes.NewReader(text))
	strict.DisallowUnknownFields()
	if err := strict.Decode(&vex.VEX{}); err != nil {
		fail("a field that the format does not have: %v", err)
	}
	document, err := vex.Parse(text)
	if err != nil {
		fail("%v", err)
	}
	if document.Context != vex.ContextLocator() || document.ID == "" || document.Author == "" ||
		document.Timestamp == nil || document.Version < 1 || len(document.Statements) == 0 {
		fail("the document says too little of itself")
	}
	for index := range document.Statements {
		statement := &document.Statements[index]
		if err := statement.Validate(); err != nil {
			fail("statements[%d]: %v", index, err)
		}
		// The schema wants the one or the other.
		if statement.Justification != "" && statement.ImpactStatement != "" {
			fail("statements[%d]: both a justification and an impact statement", index)
		}
	}
	expected, err := os.ReadFile(os.Args[2])
	if err != nil {
		fail("%v", err)
	}
	for _, line := range strings.Split(strings.TrimSpace(string(expected)), "\n") {
		field := strings.Split(line, "\t")
		found := document.Matches(field[0], field[1], []string{field[2]})
		if len(found) != 1 || string(found[0].Status) != field[3] {
			fail("%s: the library finds %d statements", line, len(found))
		}
		if other := document.Matches(field[0], field[1]+"-2", []string{field[2]}); len(other) != 0 {
			fail("%s: it is said of another machine too", line)
		}
	}
}
