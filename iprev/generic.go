package iprev

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// Likeness tells why a name looks like one given by the thousand rather than to a
// mail server. The zero value is a name that does not.
type Likeness struct {
	Sort     Sort
	Evidence string // the part of the name that gives it away
	Why      string // in words, safe to show
}

// Is reports whether the name looks generic.
func (l Likeness) Is() bool { return l.Sort != "" }

// Sort is a sort of [Likeness].
type Sort string

// The sorts.
const (
	Address Sort = "address" // the address, or most of it, is part of the name
	Dynamic Sort = "dynamic" // a word for addresses that change hands
	Access  Sort = "access"  // a word for lines of customers, beside a number
	Machine Sort = "machine" // the number of a rented machine
)

// LooksGeneric judges a PTR name. Receivers keep their rules to themselves (Yahoo
// asks for "a meaningful, non-generic" name), so this is a likeness, not a fact: it
// goes by the address in the name, in decimal or hexadecimal and in either order,
// by words such as dynamic, dhcp and pool, and by the names that hosting companies
// give to machines. The domain itself is not looked at, only what stands in front.
func LooksGeneric(name resolve.Name, addr netip.Addr) Likeness {
	host := hostPart(name)
	if host == "" {
		return Likeness{}
	}
	t := tokenize(host)
	if text := findAddress(name, host, t, addr.WithZone("").Unmap()); text != "" {
		return Likeness{Address, text, fmt.Sprintf("%s in the name is the address, or part of it", strconv.Quote(text))}
	}
	for _, w := range t.words {
		if dynamicWords[w] {
			return Likeness{Dynamic, w, fmt.Sprintf("%s in the name stands for addresses that change hands", strconv.Quote(w))}
		}
	}
	for _, w := range t.words {
		if accessWords[w] && t.numbered(addr) {
			return Likeness{Access, w, fmt.Sprintf("%s and a number in the name stand for a customer's line", strconv.Quote(w))}
		}
	}
	if first := name.First(); machineLabel(first) {
		return Likeness{Machine, first, fmt.Sprintf("%s is the number of a rented machine", strconv.Quote(first))}
	}
	return Likeness{}
}

// dynamicWords speak for themselves.
var dynamicWords = words("dynamic dyn dynip dynamicip dynuser dhcp dialup dialin dialout dial pppoe ppp unassigned unallocated unused " +
	"noptr noreverse nordns norevdns notassigned rdynamic dip dynpool dyndsl")

// accessWords are names of parts too, so a number has to stand beside them.
var accessWords = words("dsl adsl xdsl vdsl sdsl hdsl pool pools cable catv cablemodem broadband bband hsd hsi hsia fios ftth fttx fttb fttc fibre fiber " +
	"cust customer customers client clients cpe user users subscriber subscribers residential resnet res home wifi wlan wimax hotspot " +
	"mobile gprs umts lte lan ip ipv ips static rev reverse ptr host hosted nat pip cgn cgnat docsis modem")

// mailWords speak for a mail server, when the address is in the name only in part.
var mailWords = words("mail email smtp mx mta out outbound outgoing relay mailer mailout mailgate gw gateway sender send news newsletter bounce")

func words(s string) map[string]bool {
	m := make(map[string]bool)
	for _, w := range strings.Fields(s) {
		m[w] = true
	}
	return m
}

// hostPart is the name without the domain that somebody registered, as far as that
// can be told without a list: the last two labels, or three if both of those are
// short, as in co.uk.
func hostPart(name resolve.Name) string {
	labels := strings.Split(name.String(), ".")
	cut := 2
	if n := len(labels); n >= 3 && len(labels[n-1]) == 2 && len(labels[n-2]) <= 3 {
		cut = 3
	}
	if len(labels) <= cut {
		return ""
	}
	return strings.ToLower(strings.Join(labels[:len(labels)-cut], "."))
}

// tokens are the words and numbers of a name.
type tokens struct {
	words   []string
	numbers []number
	mail    bool // a word for a mail server is among them
}

type number struct {
	text   string
	start  int
	end    int
	before byte // what stands before it: 0 at the start
}

func tokenize(host string) tokens {
	var t tokens
	for i := 0; i < len(host); {
		class := classOf(host[i])
		j := i + 1
		for j < len(host) && classOf(host[j]) == class {
			j++
		}
		switch class {
		case 'a':
			w := host[i:j]
			t.words = append(t.words, w)
			t.mail = t.mail || mailWords[w]
		case '0':
			n := number{text: host[i:j], start: i, end: j}
			if i > 0 {
				n.before = host[i-1]
			}
			t.numbers = append(t.numbers, n)
		}
		i = j
	}
	return t
}

func classOf(c byte) byte {
	switch {
	case c >= 'a' && c <= 'z':
		return 'a'
	case c >= '0' && c <= '9':
		return '0'
	}
	return c
}

// numbered reports whether the numbers of the name are those of a row of lines: the
// last part of the address, several numbers, or a long one.
func (t tokens) numbered(addr netip.Addr) bool {
	addr = addr.Unmap()
	last := -1
	if addr.Is4() {
		last = int(addr.As4()[3])
	}
	for _, n := range t.numbers {
		if v, err := strconv.Atoi(n.text); len(n.text) >= 4 || err == nil && v == last {
			return true
		}
	}
	return len(t.numbers) >= 3
}

// machinePrefixes are what hosting companies put before the number of a machine.
var machinePrefixes = words("vps vmi vm vds ns ks srv server h s u v d kd kvm node host static cloud instance li static ip ded dedicated")

// machineLabel finds labels such as vmi123456, h2345678, vps-1a2b3c4d and li123-45.
func machineLabel(label string) bool {
	label = strings.ToLower(label)
	end := 0
	for end < len(label) && label[end] >= 'a' && label[end] <= 'z' {
		end++
	}
	prefix, rest := label[:end], strings.TrimLeft(label[end:], "-")
	if !machinePrefixes[prefix] || rest == "" {
		return false
	}
	digits := 0
	for i := range len(rest) {
		switch c := rest[i]; {
		case c >= '0' && c <= '9':
			digits++
		case c >= 'a' && c <= 'f' && strings.HasPrefix(label[end:], "-"):
		case c == '-' && prefix == "li":
		default:
			return false
		}
	}
	long := len(strings.ReplaceAll(rest, "-", ""))
	return digits >= 5 || digits >= 2 && long >= 8 || prefix == "li" && digits >= 4
}
