package insight

// Class is what mail of a source is.
type Class string

// Classes. All but Passing are about mail without an aligned pass, except that
// Forwarding is also mail that passed by its signature alone, on a host that is
// not the owner's.
const (
	Passing    Class = "passing"
	Own        Class = "misconfigured" // sent for the owner, by a source that is not set up
	Forwarding Class = "forwarding"
	List       Class = "mailing-list"
	Spoofing   Class = "spoofing"
	Unknown    Class = "unknown"
)

// Confidence is how sure a class is.
type Confidence string

// Confidences.
const (
	High   Confidence = "high"   // somebody who knows said so, or several facts agree
	Medium Confidence = "medium" // the usual meaning of what was seen
	Low    Confidence = "low"    // the best guess
)

// verdict is a class with its reasons.
type verdict struct {
	class Class
	sure  Confidence
	why   []string
}

func say(c Class, sure Confidence, why ...string) verdict { return verdict{c, sure, why} }
