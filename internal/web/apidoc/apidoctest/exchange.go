package apidoctest

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// telling are the headers that mean something to clients of one call; the others are on all answers or mean nothing.
func telling() []string {
	return []string{"Location", "Retry-After", "Idempotency-Key", "Preference-Applied", "Etag", "Set-Cookie", "Www-Authenticate", "Allow"}
}

// checkAnswer says what of an answer an operation does not describe.
func (operation node) checkAnswer(e Exchange) error {
	answer := operation.get("responses").get(strconv.Itoa(e.Status))
	if !answer.ok() {
		return errors.New("there is no such status in the document")
	}
	var faults []error
	headers := answer.get("headers")
	described := map[string]bool{}
	for _, name := range headers.names() {
		described[http.CanonicalHeaderKey(name)] = true
		values := e.Header.Values(name)
		if len(values) == 0 && headers.get(name).get("required").yes() {
			faults = append(faults, fmt.Errorf("header %s is not there", name))
		}
		for _, value := range values {
			faults = append(faults, headers.get(name).validText("header "+name, value))
		}
	}
	for _, name := range telling() {
		if e.Header.Get(name) != "" && !described[name] {
			faults = append(faults, fmt.Errorf("header %s is not in the document", name))
		}
	}
	if e.Request.Method != http.MethodHead {
		faults = append(faults, answer.validBody(e.Header.Get("Content-Type"), e.Body))
	}
	return errors.Join(faults...)
}

// checkRequest says what of a request an operation does not allow, if it was answered as if it did.
func (operation node) checkRequest(e Exchange, arguments map[string]string) error {
	if refused := e.Status >= 400 && e.Status < 500; refused {
		return nil
	}
	query, err := url.ParseQuery(e.Request.URL.RawQuery)
	faults := []error{err, operation.allows(e.Request)}
	for parameter := range operation.get("parameters").items() {
		name := parameter.get("name").text()
		var values []string
		switch parameter.get("in").text() {
		case "path":
			values = []string{arguments[name]}
		case "query":
			values = query[name]
			if parameter.get("allowEmptyValue").yes() && query.Get(name) == "" {
				values = nil
			}
		case "header":
			values = e.Request.Header.Values(name)
		}
		if len(values) == 0 && parameter.get("required").yes() {
			faults = append(faults, fmt.Errorf("%s is not given", name))
		}
		for _, value := range values {
			faults = append(faults, parameter.validText(name, value))
		}
	}
	if body := operation.get("requestBody"); body.ok() {
		faults = append(faults, body.validBody(e.Request.Header.Get("Content-Type"), e.Sent))
	}
	if err := errors.Join(faults...); err != nil {
		return fmt.Errorf("the document says that the request is wrong: %w", err)
	}
	return nil
}

// allows says whether a request bears a login where one is needed.
func (operation node) allows(r *http.Request) error {
	if public, ok := operation.members()["security"].([]any); ok && len(public) == 0 {
		return nil
	}
	if cookie, err := r.Cookie("neticket_token"); r.Header.Get("Authorization") == "" && (err != nil || cookie.Value == "") {
		return errors.New("there is no login")
	}
	return nil
}

// validText says in what a header's or parameter's text is not as its schema.
func (n node) validText(what, text string) error {
	if err := n.c.valid(n.at+"/schema", n.get("schema").decode(text)); err != nil {
		return fmt.Errorf("%s %q: %w", what, text, err)
	}
	return nil
}

// decode returns the JSON value that a text stands for, by the type that a schema wants.
func (schema node) decode(text string) any {
	switch schema.get("type").text() {
	case "integer":
		if _, err := strconv.ParseInt(text, 10, 64); err == nil {
			return json.Number(text)
		}
	case "array":
		var items []any
		for item := range strings.SplitSeq(text, ",") {
			items = append(items, schema.get("items").decode(item))
		}
		return items
	}
	return text
}

// validBody says in what a body is not as n, a request's or an answer's, describes it. Where there is no schema any bytes will do.
func (n node) validBody(contentType string, body []byte) error {
	content := n.get("content")
	if !content.ok() {
		if len(body) > 0 {
			return errors.New("there is no body in the document")
		}
		return nil
	}
	mediaType, _, _ := mime.ParseMediaType(contentType)
	media := content.get(mediaType)
	switch {
	case !media.ok():
		return fmt.Errorf("content type %q is not in the document", contentType)
	case strings.HasSuffix(mediaType, "json"):
		return n.c.validJSON(media.at+"/schema", body)
	}
	return nil
}

// problemCode returns the code of an answer that is a problem.
func problemCode(e Exchange) string {
	var problem struct {
		Code string `json:"code"`
	}
	if e.Status >= 400 {
		_ = json.Unmarshal(e.Body, &problem) // what is none has no code
	}
	return problem.Code
}
