package partition

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestAPauseOutlastsARestartAndAFreshDiskExports(t *testing.T) {
	folder := t.TempDir()
	fresh, err := openPhase(folder)
	if err != nil || fresh.get() != Exporting {
		t.Fatalf("%v %v", fresh, err)
	}
	if err := fresh.set(Paused, true, false); err != nil {
		t.Fatal(err)
	}
	restarted, err := openPhase(folder)
	if err != nil || restarted.get() != Paused {
		t.Errorf("%v %v", restarted, err)
	}
}

func TestAHardPauseDuringASoftOneIsRefused(t *testing.T) {
	for first, second := range map[Phase]Phase{SoftPaused: Paused, Paused: SoftPaused} {
		file, _ := openPhase(t.TempDir())
		if err := file.set(first, true, false); err != nil {
			t.Fatal(err)
		}
		if err := file.set(second, true, false); !errors.Is(err, ErrMixed) || file.get() != first {
			t.Errorf("%s then %s: %v, %s", first, second, err, file.get())
		}
		if err := file.set(Exporting, true, false); err != nil || file.get() != Exporting {
			t.Errorf("%v", err)
		}
	}
}

func TestAFileThatHoldsNoPhaseIsAnError(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, ".exporter"), []byte("?"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openPhase(folder); err == nil {
		t.Error("no error")
	}
}
