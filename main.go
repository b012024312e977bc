// Command tickwatch tells, live and in a terminal, whether a WhatsApp campaign
// is reaching people, and why not.
package main

import (
	"os"

	"tickwatch/ui/cli"
)

func main() {
	os.Exit(cli.Main(cli.World{
		Args: os.Args[1:], Env: os.Environ(),
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
	}))
}
