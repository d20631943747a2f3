package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/redis/go-redis/v9"

	"github.com/neticket/neticket/internal/devserver/servertest"
	"github.com/neticket/neticket/internal/stream"
	"github.com/neticket/neticket/internal/system/systemtest"
)

func TestDeadLetters(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	rig := systemtest.On(t, c.servers)
	if out := c.mustRun(t, "dead-letters", "list"); out != "There are no dead letters.\n" {
		t.Errorf("printed %q", out)
	}
	if out := c.mustRun(t, "dead-letters", "list", "--json"); !strings.Contains(out, `"dead_letters": []`) {
		t.Errorf("printed %q", out)
	}

	const shard = 3
	entries := rig.Shards.Entries(shard)
	if err := rig.Redis.XGroupCreateMkStream(t.Context(), entries, "recorders", "0").Err(); err != nil {
		t.Fatal(err)
	}
	rig.Work(t, "w")
	for i := range 3 {
		err := rig.Redis.XAdd(t.Context(), &redis.XAddArgs{Stream: entries, ID: fmt.Sprint(1_764_000_000_000+i, "-0"), Values: []any{"v", "1", "show", "\x1b[31m\xff"}}).Err()
		if err != nil {
			t.Fatal(err)
		}
	}
	var letters []stream.Letter
	servertest.Eventually(t, 10*time.Second, "all are buried", func() bool {
		var err error
		letters, _, err = rig.Group.Letters(t.Context(), stream.LetterID{}, 10)
		return err == nil && len(letters) == 3
	})
	id := letters[0].ID.String()

	out := c.mustRun(t, "dead-letters", "list", "--limit", "2")
	for _, want := range []string{id, "1764000000002-0", "1764000000001-0", `show "\x1b[31m\xff" is not allowed`, "see --limit"} {
		if !strings.Contains(out, want) {
			t.Errorf("printed %q; want %s", out, want)
		}
	}
	if strings.Contains(out, "1764000000000-0") || strings.Contains(out, "\x1b") || !utf8.ValidString(out) {
		t.Errorf("printed %q", out)
	}
	var list struct {
		DeadLetters []struct {
			ID     string
			Entry  string `json:"entry_id"`
			Fields map[string]string
		} `json:"dead_letters"`
		More bool
	}
	if err := json.Unmarshal([]byte(c.mustRun(t, "dead-letters", "list", "--json")), &list); err != nil || len(list.DeadLetters) != 3 || list.More ||
		list.DeadLetters[0].ID != id || list.DeadLetters[0].Fields["show"] != `\x1b[31m\xff` {
		t.Errorf("%v: %+v", err, list)
	}
	if out := c.mustRun(t, "dead-letters", "show", id); !strings.Contains(out, "entry      1764000000002-0") || !strings.Contains(out, `show   \x1b[31m\xff`) {
		t.Errorf("printed %q", out)
	}
	var one struct{ ID string }
	if err := json.Unmarshal([]byte(c.mustRun(t, "dead-letters", "show", id, "--json")), &one); err != nil || one.ID != id {
		t.Errorf("%v: %+v", err, one)
	}

	if out := c.mustRun(t, "dead-letters", "drop", id); !strings.Contains(out, id+" is deleted") {
		t.Errorf("printed %q", out)
	}
	for _, command := range []string{"show", "drop"} {
		if status, out, logs := c.run(t, "dead-letters", command, id); status != 1 || out != "" || !strings.Contains(logs, "no such dead letter") {
			t.Errorf("%s what is gone: %d, %q, %q", command, status, out, logs)
		}
	}
	if got := deeds(t, rig); fmt.Sprint(got) != fmt.Sprintf("[dead_letter.drop dead_letter:%s]", id) {
		t.Errorf("the audit log: %v", got)
	}
}

// deeds returns the audit log, the oldest first, and checks that the tool did all of it.
func deeds(t *testing.T, rig *systemtest.Rig) (lines []string) {
	t.Helper()
	page, _, err := rig.AuditLog.Page(t.Context(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range page {
		if r.By.UserID != 0 || r.By.IP != "" || r.By.RequestID != "" {
			t.Errorf("%+v is not the tool's", r)
		}
		if strings.Contains(string(r.Details), "battery") || strings.Contains(string(r.Details), "argon2") {
			t.Errorf("a secret is in the audit log: %s", r.Details)
		}
		lines = append([]string{fmt.Sprint(r.Action, " ", r.Object)}, lines...)
	}
	return lines
}
