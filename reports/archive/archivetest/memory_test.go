package archivetest_test

import (
	"testing"

	"github.com/mailcheck-go/mailcheck/reports/archive"
	"github.com/mailcheck-go/mailcheck/reports/archive/archivetest"
	"github.com/mailcheck-go/mailcheck/reports/archive/memory"
)

func TestMemory(t *testing.T) {
	archivetest.Run(t, archivetest.Engine{Volatile: true, Open: func(testing.TB, string) archive.Store { return memory.New() }})
}
