package cli

import (
	"flag"
	"os"
	"strings"
	"testing"

	"tickwatch/ui"
)

var update = flag.Bool("update", false, "write the README's generated tables anew")

// The README's tables are those that the bindings, the configuration and the rules give.
func TestREADME(t *testing.T) {
	const path = "../../README.md"
	have, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := string(have)
	for name, table := range map[string]string{"keys": ui.KeyTable(), "configuration": ConfigTable(), "rules": RuleTable()} {
		start, rest, ok := strings.Cut(want, "<!-- "+name+":")
		head, rest, ok2 := strings.Cut(rest, "-->\n")
		_, tail, ok3 := strings.Cut(rest, "<!-- end -->")
		if !ok || !ok2 || !ok3 {
			t.Fatalf("the README has no place for %s", name)
		}
		want = start + "<!-- " + name + ":" + head + "-->\n" + strings.TrimRight(table, "\n") + "\n<!-- end -->" + tail
	}
	if want == string(have) {
		return
	}
	if !*update {
		t.Fatal("the README's tables are not those of the code: go test ./ui/cli -run README -update")
	}
	if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}
