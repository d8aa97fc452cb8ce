package mtasts

import (
	"fmt"
	"strings"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// Server is a kind of web server.
type Server string

// The servers that [ServerConfig] writes for.
const (
	Nginx  Server = "nginx"
	Caddy  Server = "caddy"
	Apache Server = "apache"
	Static Server = "static" // a service that publishes a directory
)

// Servers lists them all.
func Servers() []Server { return []Server{Nginx, Caddy, Apache, Static} }

const policyRoot = "/var/www/mta-sts" // where the snippets expect the file

// ServerConfig is what makes a web server give out the policy of a domain as RFC
// 8461, Section 3.3 needs it: at the fixed path of the mta-sts host, as text/plain,
// without a redirect. It is a fragment to paste; for [Static] it is a description.
// Errors match [ErrEdit].
func ServerConfig(s Server, domain resolve.Name) (string, error) {
	host, err := domain.Below("mta-sts")
	if err != nil || domain.IsRoot() || !isHost(host.String()) {
		return "", fmt.Errorf("%w: no host name can be made of %s", ErrEdit, clip(domain.String()))
	}
	text, found := snippets[s]
	if !found {
		return "", fmt.Errorf("%w: web server %s is not known", ErrEdit, clip(string(s)))
	}
	return strings.NewReplacer("HOST", host.String(), "ROOT", policyRoot, "PATH", wellKnown).Replace(text), nil
}

var snippets = map[Server]string{
	Nginx: `# The policy is the file ROOTPATH
server {
    listen 443 ssl;
    listen [::]:443 ssl;
    server_name HOST;
    ssl_certificate     /etc/letsencrypt/live/HOST/fullchain.pem;
    ssl_certificate_key /etc/letsencrypt/live/HOST/privkey.pem;

    location = PATH {
        root ROOT;
        default_type text/plain;
    }
    # Senders follow no redirect, so nothing else is answered.
    location / {
        return 404;
    }
}
`,
	Caddy: `# The policy is the file ROOTPATH
HOST {
	handle PATH {
		root * ROOT
		header Content-Type "text/plain; charset=utf-8"
		file_server
	}
	# Senders follow no redirect, so nothing else is answered.
	handle {
		respond 404
	}
}
`,
	Apache: `# The policy is the file ROOTPATH
<VirtualHost *:443>
    ServerName HOST
    DocumentRoot ROOT
    SSLEngine on
    SSLCertificateFile    /etc/letsencrypt/live/HOST/fullchain.pem
    SSLCertificateKeyFile /etc/letsencrypt/live/HOST/privkey.pem

    <Directory ROOT>
        Require all granted
        Options None
        AllowOverride None
    </Directory>
    <Location PATH>
        ForceType text/plain
    </Location>
</VirtualHost>
`,
	Static: `Publish a site with the policy as its file PATH
and give it HOST as its own name, with a certificate for that name.
- The path begins with a dot: tell the service to publish such directories. GitHub
  Pages needs an empty file .nojekyll at the top of the site.
- The address https://HOSTPATH
  has to answer 200 itself: senders follow no redirect, so switch off the ones to
  www or to another name.
- It has to be text/plain; the ending .txt usually sees to that.
- A CNAME at HOST to the service is fine. A CAA record has to let
  the service's certificate authority issue for the name.
`,
}
