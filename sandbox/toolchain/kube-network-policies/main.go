// Command kube-network-policies enforces the NetworkPolicies of one region: kube-network-policies v0.8.0.
//
// The project's own main package asks the API server of the pod that it runs in, and the container runtime of its
// machine, which may be another one than the region's. This one asks the API server of a kubeconfig and nobody else,
// says when it is ready, and ends when it cannot do its work.
package main

import (
	"context"
	"flag"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"github.com/containerd/nri/pkg/api"
	"github.com/google/nftables"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	"sigs.k8s.io/kube-network-policies/pkg/networkpolicy"
)

const (
	queue = 100
	table = "kube-network-policies"
	// queues lists the queues of this network namespace that a process listens to, a line each.
	queues = "/proc/self/net/netfilter/nfnetlink_queue"
)

var (
	kubeconfig = flag.String("kubeconfig", "", "kubeconfig of the region's API server")
	node       = flag.String("node", "", "name of the node whose pods are judged")
	health     = flag.String("health", "", "address of /healthz: 200 when packets are judged")
)

func main() {
	flag.Parse()
	if err := run(); err != nil {
		klog.ErrorS(err, "cannot enforce network policies")
		os.Exit(1)
	}
}

func run() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		return err
	}
	config.ContentType = "application/vnd.kubernetes.protobuf"
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	watched := informers.NewSharedInformerFactory(client, 0)
	controller, err := controllerOf(client, watched)
	if err != nil {
		return err
	}
	watched.Start(ctx.Done())

	failed := make(chan error, 2)
	http.HandleFunc("/healthz", answerHealth)
	go func() { failed <- http.ListenAndServe(*health, nil) }()
	go func() { failed <- controller.Run(ctx) }()
	return <-failed
}

func controllerOf(
	client kubernetes.Interface, watched informers.SharedInformerFactory,
) (*networkpolicy.Controller, error) {
	// Without the runtime's plug-in (NRIdisabled) v0.8.0 calls it all the same and ends. It asks no runtime where
	// the connection that it is given is none.
	if err := os.Setenv(api.PluginSocketEnvVar, "none"); err != nil {
		return nil, err
	}
	return networkpolicy.NewController(
		client,
		watched.Networking().V1().NetworkPolicies(),
		watched.Core().V1().Namespaces(),
		watched.Core().V1().Pods(),
		nil, nil, nil, nil, // only AdminNetworkPolicies need them
		networkpolicy.Config{
			QueueID:     queue,
			NFTableName: table,
			NodeName:    *node,
			// Else pods' questions to the node's own DNS server would pass unjudged.
			NetfilterBug1766Fix: true,
		},
	)
}

func answerHealth(answer http.ResponseWriter, _ *http.Request) {
	// The controller goes on without its rules where the kernel refuses them: nothing would be enforced.
	if !listening() || !ruling() {
		http.Error(answer, "no packet is judged", http.StatusServiceUnavailable)
	}
}

func listening() bool {
	text, err := os.ReadFile(queues)
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) > 0 && fields[0] == strconv.Itoa(queue) {
			return true
		}
	}
	return false
}

func ruling() bool {
	rules, err := nftables.New()
	if err != nil {
		return false
	}
	_, err = rules.ListTableOfFamily(table, nftables.TableFamilyINet)
	return err == nil
}
