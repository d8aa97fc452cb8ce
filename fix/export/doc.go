// Package export writes planned changes (RFC 1035, RFC 2136) in the forms that
// name servers, DNS tools and hosting panels take.
//
// Most domains are not run by a server that takes dynamic updates: their records
// live in a repository, behind an API or in a panel, and every one of these wants a
// long TXT record in another form. A key that a panel cuts at 255 characters, or a
// record set that is written without its other records, costs mail for a day. So
// each form here holds whole record sets, and is read back in the tests.
//
// Call [Write] with a format's ID and the changes of a plan; [Formats] lists the
// formats. What a form cannot hold is refused with [ErrForm], and not written.
package export
