// Package story plays the story that mailcheck exists for, from the first refused
// mail to p=reject, on Debian's own servers: BIND, Knot DNS, Unbound, Postfix,
// OpenDKIM, rspamd, Dovecot and Exim, each on a machine of its own. A machine is
// a set of Linux namespaces: its addresses, its /etc and /var, its processes and
// its name. All of them stand on one wire inside a namespace without a way out,
// and are gone with the process that made them.
//
// Run it as root with "make story". What is under test is the command alone; the
// package holds only tests, behind the build tag story.
package story
