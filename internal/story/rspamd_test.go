//go:build story

package story

// The decision of the big receiver, made of nothing but rspamd's own results. The
// text is one of many lines, each with the code as it goes over the wire.
const rspamdRule = `
rspamd_config:register_symbol{
  name = 'BIG_DECISION',
  type = 'postfilter',
  priority = 1,
  callback = function(task)
    local ip = task:get_from_ip()
    if not ip or not ip:is_valid() or tostring(ip) == '127.0.0.1' or tostring(ip) == '::1' then return end
    local function said(yes) if yes then return 'pass' end return 'did not pass' end
    local spf, dkim = task:has_symbol('R_SPF_ALLOW'), task:has_symbol('R_DKIM_ALLOW')
    local from = (task:get_from('mime') or {})[1] or {}
    local domain = ((task:get_from('smtp') or {})[1] or {}).domain or ''
    if domain == '' then domain = task:get_helo() or '' end
    local lines
    if task:has_symbol('DMARC_POLICY_REJECT') then
      lines = {
        'Unauthenticated email from ' .. (from.domain or domain) .. ' is not accepted due to',
        'domain\'s DMARC policy. Please contact the administrator of',
        (from.domain or domain) .. ' domain if this was a legitimate mail. To learn about the',
        'DMARC initiative, go to',
        ' https://support.google.com/mail/?p=DmarcRejection - gsmtp',
      }
    elseif not spf and not dkim then
      lines = {
        'Your email has been blocked because the sender is unauthenticated.',
        'Gmail requires all senders to authenticate with either SPF or DKIM.',
        '',
        ' Authentication results:',
        ' DKIM = ' .. said(dkim),
        ' SPF [' .. domain .. '] with ip: [' .. tostring(ip) .. '] = ' .. said(spf),
        '',
        ' For instructions on setting up authentication, go to',
        ' https://support.google.com/mail/answer/81126#authentication - gsmtp',
      }
    elseif task:has_symbol('DMARC_POLICY_QUARANTINE') then
      task:set_milter_reply({add_headers = {['X-Spam'] = 'Yes'}})
    end
    if lines then
      task:set_pre_result({action = 'reject', module = 'BIG_DECISION', message = table.concat(lines, '\r\n550-5.7.26 ')})
    end
  end,
}
`

// rspamd refuses with 554 5.7.1 and no other code. This stands between it and
// Postfix and puts the big receiver's code there; all else passes unchanged.
const rspamdCode = `
import asyncio
async def replies(r, w):
    while True:
        head = await r.readexactly(4)
        body = await r.readexactly(int.from_bytes(head, "big"))
        if body.startswith(b"y554 5.7.1 ") and b"\r\n550-5.7.26" in body:
            body = b"y550-5.7.26 " + body[11:]
            at = body.rindex(b"\r\n550-5.7.26")
            body = body[:at] + b"\r\n550 5.7.26" + body[at + 12:]
        w.write(len(body).to_bytes(4, "big") + body)
        await w.drain()
async def commands(r, w):
    while data := await r.read(65536):
        w.write(data)
        await w.drain()
async def client(r, w):
    try:
        rr, rw = await asyncio.open_connection("127.0.0.1", 11332)
        tasks = [asyncio.ensure_future(commands(r, rw)), asyncio.ensure_future(replies(rr, w))]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for t in tasks:
            t.cancel()
        rw.close()
    except OSError:
        pass
    finally:
        w.close()
async def main():
    async with await asyncio.start_server(client, "127.0.0.1", 11335) as s:
        await s.serve_forever()
asyncio.run(main())
`

// startBig starts the big receiver.
func (m *mailHosts) startBig() {
	h := m.big
	h.w.t.Helper()
	h.must("sh", "-ec", `install -d -o _rspamd -g _rspamd /var/lib/rspamd /var/log/rspamd /run/rspamd
install -d -o redis -g redis /run/redis`)
	h.daemon("redis-server", "--port", "6379", "--bind", "127.0.0.1", "--save", "", "--dir", "/run/redis")
	h.write("/etc/rspamd/rspamd.local.lua", rspamdRule, 0o644)
	for file, text := range map[string]string{
		"options.inc":           "dns { nameserver = [\"" + resolverIP + "\"]; timeout = 2s; }\nfilters = \"dkim,spf\";\nhs_cache_dir = \"/run/rspamd\";\n",
		"redis.conf":            "servers = \"127.0.0.1\";\n",
		"actions.conf":          "reject = 2000; greylist = null; add_header = 1000; rewrite_subject = null;\n",
		"worker-proxy.inc":      "bind_socket = \"127.0.0.1:11332\"; milter = yes; timeout = 60s; count = 1;\nupstream \"local\" { default = yes; self_scan = yes; }\n",
		"worker-normal.inc":     "enabled = false;\n",
		"worker-controller.inc": "count = 1;\n",
		"worker-fuzzy.inc":      "enabled = false;\n",
		"milter_headers.conf":   "use = [\"authentication-results\"];\nskip_local = false; skip_authenticated = false;\n",
		"dmarc.conf":            "reporting { enabled = true; email = \"dmarc-reports@big.example\"; domain = \"big.example\"; org_name = \"big.example\"; bcc_addrs = []; smtp = \"127.0.0.1\"; smtp_port = 25; from_name = \"big.example\"; helo = \"mx.big.example\"; }\nactions {}\n",
		"spf.conf":              "min_cache_ttl = 1s; spf_cache_expire = 1s;\n",
		"dkim.conf":             "dkim_cache_size = 0;\n",
		"logging.inc":           "level = \"info\";\n",
		"history_redis.conf":    "enabled = false;\n",
		"classifier-bayes.conf": "autolearn = false;\n",
	} {
		h.write("/etc/rspamd/local.d/"+file, text, 0o644)
	}
	// What asks hosts of the real world, or holds mail back.
	for _, module := range []string{"rbl", "surbl", "fuzzy_check", "asn", "phishing", "greylist", "mx_check", "once_received",
		"ratelimit", "replies", "url_redirector", "neural", "bimi", "hfilter", "rspamd_update", "emails", "reputation", "mime_types"} {
		h.write("/etc/rspamd/local.d/"+module+".conf", "enabled = false;\n", 0o644)
	}
	h.daemon("rspamd", "-f", "-u", "_rspamd", "-g", "_rspamd")
	h.daemon("/usr/bin/python3", "-c", rspamdCode)
	h.dovecot(bigUsers, `require ["fileinto", "mailbox"];
if header :is "X-Spam" "Yes" { fileinto :create "Junk"; }
`)
	settings := h.mailboxes("big.example", bigUsers)
	h.postfix(settings + `smtpd_milters = inet:127.0.0.1:11335
milter_default_action = tempfail
`)
}
