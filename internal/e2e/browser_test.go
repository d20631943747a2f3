package e2e

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/remote"

	"github.com/neticket/neticket/internal/devserver"
)

// browser is the one of this process, started by the first test that wants one; the reaper of devserver ends it. Everybody in it
// has a profile of his own.
var browser = sync.OnceValues(func() (context.Context, error) {
	chromium, err := devserver.StartChromium(context.Background())
	if err != nil {
		return nil, err
	}
	all, _ := remote.NewAllocator(context.Background(), chromium.URL(), remote.NoModifyURL)
	ctx, _ := chromedp.NewContext(all)
	return ctx, chromedp.Do(ctx)
})

// patience is how long a browser has for what it does, on a machine that is busy.
const patience = 20 * time.Second

// visitor is a person at a browser, with a profile and a window of his own. Whatever the browser complains of makes the test
// fail: an error in the console, a breach of the policy, a request that failed.
type visitor struct {
	t    *testing.T
	ctx  context.Context
	url  string
	lang string

	mu       sync.Mutex
	faults   []string
	forgiven []string
	sent     map[network.RequestID]*request
}

// request is one that the browser has made.
type request struct {
	url      string
	kind     network.ResourceType
	blocking network.RenderBlockingBehavior
	status   int64
	bytes    float64 // over the network, headers too
}

// visitor opens a window at the system's API, of a person whose browser asks for a language.
func (d *deployment) visitor(t *testing.T, lang string) *visitor {
	t.Helper()
	return visit(t, d.url, lang)
}

func visit(t *testing.T, url, lang string) *visitor {
	t.Helper()
	all, err := browser()
	if err != nil {
		t.Fatal(err)
	}
	v := &visitor{t: t, url: url, lang: lang}
	v.open(all, chromedp.WithNewBrowserContext())
	return v
}

// tab opens another window of the same person.
func (v *visitor) tab() *visitor {
	v.t.Helper()
	tab := &visitor{t: v.t, url: v.url, lang: v.lang}
	tab.open(v.ctx)
	return tab
}

func (v *visitor) open(parent context.Context, options ...chromedp.ContextOption) {
	t := v.t
	t.Helper()
	v.sent = map[network.RequestID]*request{}
	var leave context.CancelFunc
	v.ctx, leave = chromedp.NewContext(parent, append(options, chromedp.WithListener(v.listen))...)
	if err := chromedp.Do(v.ctx); err != nil {
		t.Fatal("open a window: ", err)
	}
	t.Cleanup(func() {
		leave()
		for _, fault := range v.complaints() {
			t.Error("the browser complains: ", fault)
		}
	})
	v.call("enable the log", func(ctx context.Context) error {
		_, err := chromedp.Call(ctx, log.Enable, struct{}{})
		return err
	})
	v.call("speak "+v.lang, func(ctx context.Context) error {
		_, err := chromedp.Call(ctx, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Accept-Language": v.lang}})
		return err
	})
	v.screen(1280, 900)
}

// listen notes what the browser does and what it complains of.
func (v *visitor) listen(event any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		v.faults = append(v.faults, "exception: "+e.ExceptionDetails.Text+exception(e.ExceptionDetails))
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
			v.faults = append(v.faults, fmt.Sprintf("console: %s %s", e.Type, e.Args[0].Value))
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			v.faults = append(v.faults, fmt.Sprintf("%s: %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL))
		}
	case *network.EventRequestWillBeSent:
		v.sent[e.RequestID] = &request{url: e.Request.URL, kind: e.Type, blocking: e.RenderBlockingBehavior}
	case *network.EventResponseReceived:
		if r := v.sent[e.RequestID]; r != nil {
			r.status = e.Response.Status
		}
	case *network.EventLoadingFinished:
		if r := v.sent[e.RequestID]; r != nil {
			r.bytes = e.EncodedDataLength
		}
	case *network.EventLoadingFailed:
		if r := v.sent[e.RequestID]; r != nil && !e.Canceled && e.ErrorText != "net::ERR_ABORTED" { // as when a page is left
			v.faults = append(v.faults, "request: "+r.url+" "+e.ErrorText)
		}
	}
}

func exception(details *runtime.ExceptionDetails) string {
	if details.Exception == nil {
		return ""
	}
	return " " + details.Exception.Description
}

// complaints are the faults that were not forgiven.
func (v *visitor) complaints() (faults []string) {
	v.mu.Lock()
	defer v.mu.Unlock()
next:
	for _, fault := range v.faults {
		for _, part := range v.forgiven {
			if strings.Contains(fault, part) {
				continue next
			}
		}
		faults = append(faults, fault)
	}
	return faults
}

// forgive lets pass what holds a text, such as " 404 " where a page is to be missing.
func (v *visitor) forgive(parts ...string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.forgiven = append(v.forgiven, parts...)
}

// requests returns what the browser has asked for since it was forgotten, and forgets it.
func (v *visitor) requests() (all []request) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for id, r := range v.sent {
		all = append(all, *r)
		delete(v.sent, id)
	}
	return all
}

// call does something with the browser, within patience.
func (v *visitor) call(what string, do func(ctx context.Context) error) {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.ctx, patience)
	defer cancel()
	if err := do(ctx); err != nil {
		v.t.Fatalf("%s: %v", what, err)
	}
}

// screen makes the window as large as a phone's, or a desk's.
func (v *visitor) screen(width, height int64) {
	v.t.Helper()
	v.call("set the size", func(ctx context.Context) error {
		_, err := chromedp.Call(ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
			Width: width, Height: height, DeviceScaleFactor: 1, Mobile: width < 768})
		return err
	})
}

// theme sets whether the person's system is light or dark. It is one that wants no motion, so that nothing is looked at half-way.
func (v *visitor) theme(name string) {
	v.t.Helper()
	v.call("be "+name, func(ctx context.Context) error {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: name}, {Name: "prefers-reduced-motion", Value: "reduce"}}})
		return err
	})
}

// scripts switches JavaScript on or off.
func (v *visitor) scripts(on bool) {
	v.t.Helper()
	v.call("switch scripts", func(ctx context.Context) error {
		_, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on})
		return err
	})
}

// logInAs gives the browser a token, as a login does. An empty one is nobody's.
func (v *visitor) logInAs(token string) {
	v.t.Helper()
	if token == "" {
		return
	}
	v.call("log in", func(ctx context.Context) error {
		_, err := chromedp.Call(ctx, network.SetCookie, network.SetCookieParams{Name: "neticket_token", Value: token, URL: v.url, HTTPOnly: new(true)})
		return err
	})
}
