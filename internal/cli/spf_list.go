package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/providers"
)

func newSPFSenders(s Streams) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "senders [WORD...]",
		Short: "List the providers that can be named as senders",
		Long: `List the providers whose ID 'spf new', 'spf add', 'fix plan --sender' and the key senders
of mailcheck.yaml take, with the term that an SPF record gets for each: all, or those
with one of the words in ID or name. What is not listed is named by its include, by its
addresses, or by a term such as mx or a:mail.example.org.

Exit status: 0 listed, 3 wrong usage, or no provider has such a word.`,
		Example: `  mailcheck spf senders
  mailcheck spf senders google mailchimp`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := oneOf(cmd, "output", format, "text", "json"); err != nil {
				return err
			}
			v := viewSenders(args)
			if len(v.Senders) == 0 {
				return usage("mailcheck spf senders lists all; a sender can also be "+otherSender, "no provider is called %q", strings.Join(args, " "))
			}
			if format == "json" {
				return printJSON(s.Out, v)
			}
			return v.text(s)
		},
	}
	cmd.Flags().StringVarP(&format, "output", "o", "text", "output `format`: text or json")
	return cmd
}

// sendersView is the document of schema mailcheck.spf-senders/1.
type sendersView struct {
	Schema  string       `json:"schema"`
	Senders []senderView `json:"senders"`
}

type senderView struct {
	ID    string   `json:"id"`
	Name  string   `json:"name"`
	Kind  string   `json:"kind"`
	Terms []string `json:"terms"` // of an SPF record; empty: they differ for each customer
	Note  nullable `json:"note"`  // how to name the sender then
	// Whether the terms help DMARC; null: not known.
	AlignedSPF nullable `json:"aligned_spf"`
}

func viewSenders(words []string) *sendersView {
	v := &sendersView{Schema: "mailcheck.spf-senders/1", Senders: []senderView{}}
	for _, row := range providers.All() {
		if len(row.Includes)+len(row.Mechanisms)+len(row.IncludePatterns) == 0 || !hasWord(row, words) {
			continue
		}
		x := senderView{ID: row.ID, Name: row.Name, Kind: string(row.Kind), Terms: []string{}, AlignedSPF: nullable(row.AlignedSPF)}
		if y, err := (sender{}).provider(row); err == nil {
			x.Terms = append(x.Terms, y.terms...)
		} else {
			x.Note = "differs for each customer: give include:NAME as the account shows it"
		}
		v.Senders = append(v.Senders, x)
	}
	return v
}

func hasWord(row providers.Provider, words []string) bool {
	for _, w := range words {
		if w = strings.ToLower(w); strings.Contains(row.ID, w) || strings.Contains(strings.ToLower(row.Name), w) {
			return true
		}
	}
	return len(words) == 0
}

// idWidth is the column beside the longest ID.
const idWidth = 28

func (v *sendersView) text(s Streams) error {
	p := newSheet(s)
	for _, x := range v.Senders {
		term := strings.Join(x.Terms, " ")
		if term == "" {
			term = string(x.Note)
		}
		p.hang("", x.ID, idWidth, x.Name+": "+term)
	}
	p.WriteByte('\n')
	p.para("%s. Many send with a MAIL FROM of their own, and then the term does nothing for DMARC: 'mailcheck spf add ID' says so.", plural(len(v.Senders), "provider", "providers"))
	return p.flush(s.Out)
}
