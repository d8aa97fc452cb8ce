// Package guides keeps what a person reads first true: README.md, the guides and
// the unit files. Its tests parse every command line in them with the flags of the
// command tree, follow every link, look up every rule, type-check every Go block,
// and run the samples again that need no network.
//
// A sample is a fenced block behind an HTML comment with the command that prints it:
//
//	<!-- run(1): mailcheck audit example.org --zone refused.zone --offline -->
//
// The number is the exit status, 0 if it is left out; with 3, wrong usage, the block
// has what is printed on standard error, else what is on standard output. The commands of one page run
// in order in one directory, a copy of testdata with some reports; what comes
// before the last comment above a block is run for its effect. In the block, a
// line "..." stands for any lines, and "…" for any text within a line.
package guides
