package main

// schema names the version of requests and responses.
const schema = "mailcheck.exec/1"

// request is what mailcheck writes.
type request struct {
	Schema  string   `json:"schema"`
	Op      string   `json:"op"`   // "get" or "set"
	Zone    string   `json:"zone"` // names have no final dot
	Name    string   `json:"name"`
	Type    string   `json:"type"`
	Changes []change `json:"changes"`
}

// change replaces one record set. Data is in master file form.
type change struct {
	Name string   `json:"name"`
	Type string   `json:"type"`
	TTL  uint32   `json:"ttl"`
	Old  []string `json:"old"`
	New  []string `json:"new"`
}

// response is what mailcheck reads.
type response struct {
	Schema  string   `json:"schema"`
	Records []datum  `json:"records"`
	Error   *problem `json:"error,omitempty"`
}

// datum is a record of a set.
type datum struct {
	TTL  uint32 `json:"ttl"`
	Data string `json:"data"`
}

// problem is why nothing, or not everything, was done.
type problem struct {
	Kind    string `json:"kind"`
	Message string `json:"message"`
}

// Kinds of problems.
const (
	stale     = "stale"     // the set is not what the plan was made for
	auth      = "auth"      // the credentials were not accepted
	refused   = "refused"   // the provider does not take it
	temporary = "temporary" // asking again may help
)
