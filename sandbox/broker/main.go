// Command rehearsal-broker is a broker or a gateway for rehearsals: it answers as Zeebe 8.5 does where operators and
// their tools ask, with real replication and a real quorum, at a fraction of the cost. It carries out no business process.
//
// It is a broker or a gateway by its name, or by its first argument.
package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"rehearsal/broker"
	"rehearsal/config"
	"rehearsal/gateway"
)

const applicationFile = "/usr/local/zeebe/config/application.yaml"

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	if err := run(ctx, role(os.Args)); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func role(args []string) string {
	if len(args) > 1 {
		return args[1]
	}
	return filepath.Base(args[0])
}

func run(ctx context.Context, role string) error {
	application, err := os.ReadFile(applicationFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	settings, err := config.Parse(os.Environ(), application)
	if err != nil {
		return err
	}
	switch role {
	case "broker":
		made, err := settings.Broker()
		if err != nil {
			return err
		}
		return broker.Run(ctx, made)
	case "gateway":
		made, err := settings.Gateway()
		if err != nil {
			return err
		}
		return gateway.Run(ctx, made)
	default:
		return fmt.Errorf("%q is neither broker nor gateway: give one of them as the first argument", role)
	}
}
