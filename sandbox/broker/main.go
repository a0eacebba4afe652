// Command rehearsal-broker is a broker or a gateway for rehearsals: it answers as Zeebe 8.5 does, or Camunda 8.6 to 8.10,
// where operators and their tools ask, with real replication and a real quorum, at a fraction of the cost. It carries out no business process.
//
// It is a broker or a gateway by its name, or by its first argument; from 8.8 on there is one program for both, camunda.
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

const (
	// Where charts mount application.yaml: up to 8.7, and later.
	zeebeFile   = "/usr/local/zeebe/config/application.yaml"
	camundaFile = "/usr/local/camunda/config/application.yaml"
	// removedStatus is the exit status of a broker that others have removed.
	removedStatus = 3
)

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	err := run(ctx, role(os.Args))
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, "error:", err)
	if errors.Is(err, broker.ErrRemoved) {
		os.Exit(removedStatus)
	}
	os.Exit(1)
}

func role(args []string) string {
	if len(args) > 1 {
		return args[1]
	}
	return filepath.Base(args[0])
}

func run(ctx context.Context, role string) error {
	application, err := os.ReadFile(zeebeFile)
	if errors.Is(err, fs.ErrNotExist) {
		application, err = os.ReadFile(camundaFile)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	settings, err := config.Parse(os.Environ(), application)
	if err != nil {
		return err
	}
	switch role {
	case "broker", "camunda":
		return runBroker(ctx, settings)
	case "gateway":
		made, err := settings.Gateway()
		if err != nil {
			return err
		}
		return gateway.Run(ctx, made)
	default:
		return fmt.Errorf("%q is neither broker nor gateway nor camunda: give one of them as the first argument", role)
	}
}

// runBroker runs a broker, with a gateway in the same process where the version has it so.
func runBroker(ctx context.Context, settings config.Settings) error {
	made, err := settings.Broker()
	if err != nil {
		return err
	}
	if !made.Camunda.IsOneProcess() {
		return broker.Run(ctx, made, nil)
	}
	beside, err := settings.Gateway()
	if err != nil {
		return err
	}
	beside.Members = made.Members
	return broker.Run(ctx, made, func(ctx context.Context, process broker.Process) error {
		g := gateway.New(beside, process.Cluster, process.Keeper, process.Faults)
		g.Manage(process.Management)
		return g.Serve(ctx)
	})
}
