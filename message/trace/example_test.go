package trace_test

import (
	"fmt"

	"github.com/mailcheck-go/mailcheck/message"
	"github.com/mailcheck-go/mailcheck/message/trace"
)

func ExampleRead() {
	m := message.Parse([]byte("Return-Path: <a@example.org>\r\n"+
		"Received: from mx.example.net (localhost [127.0.0.1]) by store.example.net with LMTP; Thu, 1 Feb 2024 10:00:04 +0000\r\n"+
		"Received: from helo.example.org (mail.example.org [192.0.2.1])\r\n\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))\r\n"+
		"\tby mx.example.net (Postfix) with ESMTPS id 4X; Thu, 1 Feb 2024 10:00:01 +0000 (UTC)\r\n\r\n"), message.Options{})
	p := trace.Read(&m.Header, trace.Options{})
	fmt.Println(p.Client.IP, p.Client.Helo, p.MailFrom.Address)
	for _, h := range p.Hops {
		fmt.Printf("%s %q %v TLS %q\n", h.By, h.Timing, h.Delay, h.TLS.Version)
	}
	// Output:
	// 192.0.2.1 helo.example.org a@example.org
	// store.example.net "delay" 3s TLS ""
	// mx.example.net "" 0s TLS "1.3"
}

func ExampleParse() {
	h := trace.Parse("from [198.51.100.9] (mail.example.org [192.0.2.1]) by mx.example.net with ESMTP id 1; Thu, 1 Feb 2024 10:00:00 +0000")
	fmt.Println(h.Helo, h.PeerName, h.Peer)
	// Output: [198.51.100.9] mail.example.org 192.0.2.1
}
