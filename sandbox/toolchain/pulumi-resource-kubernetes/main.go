// Command pulumi-resource-kubernetes is Pulumi's Kubernetes provider v4.25.0.
//
// The provider's own main package embeds generated files that its Go module
// does not carry, so this one embeds the module's schema instead. The set-up
// copies both JSON files from the module beside this file before it builds.
package main

import (
	_ "embed"

	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"
	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/version"
)

//go:embed schema.json
var schema []byte

//go:embed terraform-mapping.json
var mapping []byte

func main() {
	provider.Serve("kubernetes", version.Version, schema, mapping)
}
