package partition

import (
	"testing"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"

	"rehearsal/wire"
)

// Raft remembers whom a broker voted for by address: equal ones would let it vote for two candidates in one term.
func TestBrokersThatListenAlikeHaveRaftAddressesOfTheirOwn(t *testing.T) {
	for broker, wanted := range []raft.ServerAddress{"0", "1"} {
		listener, err := wire.Listen("0.0.0.0:0")
		if err != nil {
			t.Fatal(err)
		}
		mux := wire.NewMux(listener)
		transport := raft.NewNetworkTransportWithConfig(&raft.NetworkTransportConfig{
			Stream: &layer{Port: mux.Partition(1), own: address(broker), partition: 1},
			Logger: hclog.NewNullLogger(),
		})
		if got := transport.LocalAddr(); got != wanted {
			t.Errorf("broker %d is %q to raft, wanted %q", broker, got, wanted)
		}
		_ = transport.Close()
		_ = listener.Close()
	}
}
