package web

import (
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"
)

// keptList encodes a list with texts that are kept from before.
type keptList struct {
	listJSON
	texts showTexts
}

func (l *keptList) appendJSON(to []byte) []byte { return l.texts.appendList(to, &l.listJSON) }

func TestListEncoder(t *testing.T) {
	t.Parallel()
	texts := newShowTexts()
	for range 2 { // the second time from what is kept
		for _, text := range awkward {
			s := *fill(text, 7, noon, true)[1].(*showJSON)
			for _, list := range []listJSON{{Shows: []showJSON{}}, {Shows: []showJSON{s}}, {Shows: []showJSON{s, {}, s}, NextCursor: &text}} {
				sameAsJSON(t, &keptList{list, texts})
			}
		}
	}
}

// Whichever field of a show changes, no old text is sent.
func TestShowTextsAreNeverOld(t *testing.T) {
	t.Parallel()
	texts := newShowTexts()
	before := *fill("Swan Lake", 7, noon, true)[1].(*showJSON)
	for i := range reflect.TypeFor[showJSON]().NumField() {
		sameAsJSON(t, &keptList{listJSON{Shows: []showJSON{before}}, texts})
		changed := before
		switch field := reflect.ValueOf(&changed).Elem().Field(i); field.Interface().(type) {
		case int, int64:
			field.SetInt(field.Int() + 1)
		case time.Time:
			field.Set(reflect.ValueOf(noon.Add(time.Hour)))
		case *string:
			field.Set(reflect.ValueOf(new("/images/other-800.jpg")))
		default: // a text, or a type of it
			field.SetString("other")
		}
		if reflect.DeepEqual(changed, before) {
			t.Fatalf("field %d stayed as it was", i)
		}
		sameAsJSON(t, &keptList{listJSON{Shows: []showJSON{changed}}, texts})
		changed.ImageURL = nil
		sameAsJSON(t, &keptList{listJSON{Shows: []showJSON{changed}}, texts})
	}
}

// Texts of odd characters in any order are escaped as encoding/json does.
func TestEscapes(t *testing.T) {
	t.Parallel()
	pieces := append([]string{"a", "가", "\u2027", "\u2030", "\xe2", "\x80", "\b\f\r\t\n", "\x7f", "'"}, awkward...)
	random := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		var text strings.Builder
		for range random.IntN(6) {
			piece := pieces[random.IntN(len(pieces))]
			text.WriteString(piece[:min(len(piece), random.IntN(30))])
		}
		sameAsJSON(t, &keptList{listJSON{Shows: []showJSON{}, NextCursor: new(text.String())}, newShowTexts()})
	}
}
