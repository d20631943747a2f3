package stream_test

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/neticket/neticket/internal/stream"
)

// bury adds an entry and has it buried, as a recorder does that cannot decode it.
func (d *desk) bury(t *testing.T, g *stream.Group, shard int, fields stream.Fields) (entry string) {
	t.Helper()
	values := make([]any, 0, 2*len(fields))
	for _, field := range fields {
		values = append(values, field.Name, field.Value)
	}
	entry, err := d.XAdd(t.Context(), &redis.XAddArgs{Stream: shards[shard].Entries, Values: values}).Result()
	if err != nil {
		t.Fatal(err)
	}
	d.die(t, shard, "w1", 0)
	if moved, err := g.Bury(t.Context(), shard, entry, `kind "\xff" is not allowed`); err != nil || !moved {
		t.Fatal(moved, err)
	}
	return entry
}

// unText is the way back from stream.Text, so that a test sees what a reader can get out of it.
func unText(t *testing.T, text string) string {
	t.Helper()
	raw, err := strconv.Unquote(`"` + strings.ReplaceAll(text, `"`, `\x22`) + `"`)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return raw
}

// Whatever bytes an entry has, its dead letter tells each of them, in its order, and its text is safe to show.
func TestLetterLosesNothing(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.open(t)
	g := stream.NewGroup(d.Client, group, shards)
	var all strings.Builder
	for b := range 256 {
		all.WriteByte(byte(b))
	}
	noise := make([]byte, 100_000)
	for i := range noise {
		noise[i] = byte(rand.Uint32())
	}
	for name, fields := range map[string]stream.Fields{
		"every byte":        {{"v", "1"}, {all.String(), all.String()}},
		"order and repeats": {{"z", "1"}, {"a", "2"}, {"z", "3"}, {"", ""}, {"z", "1"}, {`z\#2`, "4"}},
		"Korean and quotes": {{"예매", "\"\\\n\u202e\u0000/"}, {"\ufffd", "\xef\xbf"}},
		"escapes":           {{`\u00ff`, `\xff"\"`}, {`\`, `\\"`}},
		"noise":             {{"noise", string(noise)}, {string(noise[:99]), ""}},
	} {
		entry := d.bury(t, g, 1, fields)
		letters, _, err := g.Letters(t.Context(), stream.LetterID{}, 1)
		if err != nil || len(letters) != 1 {
			t.Fatal(letters, err)
		}
		letter, err := g.Letter(t.Context(), letters[0].ID)
		if diff := cmp.Diff(letters[0], letter); err != nil || diff != "" {
			t.Errorf("%s: the letter alone, %v: %s", name, err, diff)
		}
		if diff := cmp.Diff(fields, letter.Fields); diff != "" {
			t.Errorf("%s: %.1000s", name, diff)
		}
		if letter.Entry != entry || letter.Shard != 1 || letter.Reason != `kind "\xff" is not allowed` || time.Since(letter.BuriedAt) > time.Minute {
			t.Errorf("%s: %+v", name, letter)
		}
		written, err := json.Marshal(letter)
		if err != nil || strings.ContainsFunc(string(written), func(r rune) bool { return r == utf8.RuneError && name != "Korean and quotes" || !strconv.IsPrint(r) }) {
			t.Errorf("%s: %v: not safe to show: %.1000q", name, err, written)
		}
		for i, field := range wireFields(t, written) {
			value := unText(t, field.Value)
			if name, again, ok := cutRepeat(field.Name); unText(t, name) != fields[i].Name || value != fields[i].Value || ok && again < 2 {
				t.Errorf("field %d is written as %q", i, field)
			}
		}
	}
}

// cutRepeat takes the \#2 off a name that came before.
func cutRepeat(name string) (base string, n int, ok bool) {
	base = name
	if i := strings.LastIndex(name, `\#`); i >= 0 && strings.Count(name[:i], `\`)%2 == 0 {
		n, _ = strconv.Atoi(name[i+2:])
		return name[:i], n, true
	}
	return base, 0, false
}

// wireFields returns the fields of a letter's JSON in their order.
func wireFields(t *testing.T, letter []byte) (fields stream.Fields) {
	t.Helper()
	var whole struct{ Fields json.RawMessage }
	if err := json.Unmarshal(letter, &whole); err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(strings.NewReader(string(whole.Fields)))
	seen := map[string]bool{}
	var tokens []string
	for decoder.InputOffset() < int64(len(whole.Fields)) {
		token, err := decoder.Token()
		if err != nil {
			t.Fatal(err)
		}
		if text, ok := token.(string); ok {
			tokens = append(tokens, text)
		}
	}
	for i := 0; i < len(tokens); i += 2 {
		if seen[tokens[i]] {
			t.Errorf("two members of the object are called %q", tokens[i])
		}
		seen[tokens[i]] = true
		fields = append(fields, stream.Field{Name: tokens[i], Value: tokens[i+1]})
	}
	return fields
}

func TestText(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"": "", "reserve": "reserve", `"quoted"`: `"quoted"`, "예매": "예매", "a\nb": `a\nb`, "\x00\xff": `\x00\xff`, `\`: `\\`, `\"`: `\\"`,
		"\u202e": `\u202e`, "\x1b[31m": `\x1b[31m`, "\ufffd": "\ufffd", "\U000e0001": `\U000e0001`,
	} {
		if got := stream.Text(raw); got != want || unText(t, got) != raw {
			t.Errorf("%q is written as %s, want %s", raw, got, want)
		}
	}
}

// What somebody put there by hand is shown as it is.
func TestLetterOfAnotherKind(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	g := stream.NewGroup(d.Client, group, shards)
	for fields, want := range map[string]stream.Fields{
		"":                  {{"reason", "by \x1b hand"}},
		"none":              {{"fields", "none"}, {"reason", "by \x1b hand"}},
		`["a"]`:             {{"fields", `["a"]`}, {"reason", "by \x1b hand"}},
		`["a","b"]`:         {{"a", "b"}},
		`["\u0100","b"]`:    {{"fields", `["\u0100","b"]`}, {"reason", "by \x1b hand"}},
		`{"a":{"b":"c"}}`:   {{"fields", `{"a":{"b":"c"}}`}, {"reason", "by \x1b hand"}},
		`["a","b"] ["c",1]`: {{"fields", `["a","b"] ["c",1]`}, {"reason", "by \x1b hand"}},
	} {
		values := []any{"reason", "by \x1b hand", "fields", fields}
		if fields == "" {
			values = values[:2]
		}
		if err := d.XAdd(t.Context(), &redis.XAddArgs{Stream: shards[0].Dead, Values: values}).Err(); err != nil {
			t.Fatal(err)
		}
		letters, _, err := g.Letters(t.Context(), stream.LetterID{}, 1)
		if err != nil || letters[0].Reason != `by \x1b hand` || letters[0].Entry != "" {
			t.Errorf("%q: %v, %v", fields, letters, err)
		}
		if diff := cmp.Diff(want, letters[0].Fields); diff != "" {
			t.Errorf("%q: %s", fields, diff)
		}
	}
}

func TestParseLetterID(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"0-1764000000000-0", "3-1764000000000-12", "1023-18446744073709551615-18446744073709551615"} {
		if id, ok := stream.ParseLetterID(text); !ok || id.String() != text {
			t.Errorf("%s: %v, %v", text, id, ok)
		}
	}
	for _, text := range []string{"", "1", "1-2", "1-2-", "-1-2-3", "1-2-3-4", "01-2-3", "1-02-3", "+1-2-3", "1-2-3 ", "a-2-3", "1-18446744073709551616-0",
		"2147483648-1-1", "1-2-3\n", "1.0-2-3"} {
		if id, ok := stream.ParseLetterID(text); ok {
			t.Errorf("%q is taken for %v", text, id)
		}
	}
}

func TestDropLetter(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.open(t)
	g := stream.NewGroup(d.Client, group, shards)
	d.bury(t, g, 0, stream.Fields{{"a", "1"}})
	d.bury(t, g, 1, stream.Fields{{"a", "2"}})
	letters, _, err := g.Letters(t.Context(), stream.LetterID{}, 10)
	if err != nil || len(letters) != 2 {
		t.Fatal(letters, err)
	}
	id := letters[1].ID
	elsewhere, beyond := id, id
	elsewhere.Seq, beyond.Shard = 99, len(shards)
	for _, none := range []stream.LetterID{{}, elsewhere, beyond} {
		if err := g.Drop(t.Context(), none); !errors.Is(err, stream.ErrNoLetter) {
			t.Errorf("drop %s: %v", none, err)
		}
		if _, err := g.Letter(t.Context(), none); !errors.Is(err, stream.ErrNoLetter) {
			t.Errorf("letter %s: %v", none, err)
		}
	}
	if err := g.Drop(t.Context(), id); err != nil {
		t.Error(err)
	}
	if err := g.Drop(t.Context(), id); !errors.Is(err, stream.ErrNoLetter) {
		t.Errorf("dropped twice: %v", err)
	}
	if left, _, err := g.Letters(t.Context(), stream.LetterID{}, 10); err != nil || len(left) != 1 || left[0].ID != letters[0].ID {
		t.Errorf("left %v, %v", left, err)
	}
	if err := d.server.Kill(); err != nil {
		t.Fatal(err)
	}
	_, _, errList := g.Letters(t.Context(), stream.LetterID{}, 10)
	_, errOne := g.Letter(t.Context(), id)
	for _, err := range []error{errList, errOne, g.Drop(t.Context(), id)} {
		if err == nil || errors.Is(err, stream.ErrNoLetter) {
			t.Errorf("without Redis: %v", err)
		}
	}
}
