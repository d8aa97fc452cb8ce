// Package packaging holds the tests of what surrounds the program: the release, the
// image, the units of systemd, the cron table, the GitHub action and the examples.
//
// The tests run the real scripts and command lines, with a copy of themselves as
// mailcheck and zone files in place of the network. What takes tools that are not
// everywhere is in release-check.sh, inspect.sh and image-check.sh.
package packaging
