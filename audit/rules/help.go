package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// gone reports, and notes, that the domain does not exist: DNS001 says so once,
// and no other rule has anything to add.
func gone(c *audit.Case) bool {
	if c.Facts.Exists == resolve.Absent {
		c.NotApplicable("the domain does not exist")
		return true
	}
	return false
}
