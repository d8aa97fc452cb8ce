// Package wire converts between the records of a DNS library and those of
// package resolve. It is the one place that knows how that library writes names
// and character-strings: escaped as in a master file (RFC 1035, Section 5.1),
// where package resolve keeps the octets.
//
// [FromRR] reads a record that came from the network or from a zone file,
// [ToRR] makes one that can be packed. They are inverses for every record that
// FromRR returns.
package wire
