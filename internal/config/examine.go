package config

import (
	"fmt"
	"slices"

	"github.com/neticket/neticket/internal/diagnosis"
)

// fewBytes is how many different bytes a secret has that nobody drew at random.
const fewBytes = 10

// Examine looks at the settings of all processes in an environment, as os.Environ gives it. It prints no secret.
func Examine(environ []string, lookup func(string) (string, bool)) (d diagnosis.Diagnosis) {
	var told []string // most settings are of several processes
	for _, role := range []Role{Tool, Worker} {
		_, faults := load(role, lookup)
		for _, fault := range faults {
			if text := fault.Error(); !slices.Contains(told, text) {
				told = append(told, text)
				d.Fault("settings.value", "see docs/configuration.md", "%s", text)
			}
		}
	}
	if len(told) == 0 {
		d.OK("settings.value", "all values can be used")
	}
	for _, name := range Unknown(environ) {
		d.Warn("settings.name", "see docs/configuration.md for the names", "there is no setting %s; is it misspelt?", name)
	}
	if c, faults := load(Tool, lookup); len(faults) == 0 {
		examineSecrets(&d, c.TokenSecrets)
		if c.RedisUnsafe {
			d.Warn("settings.unsafe", "unset it", "NETICKET_REDIS_UNSAFE is set: processes start on a Redis that may lose what was sold")
		}
	}
	return d
}

func examineSecrets(d *diagnosis.Diagnosis, secrets [][]byte) {
	if len(secrets) == 0 {
		d.OK("settings.token_secret", "NETICKET_TOKEN_SECRET is not set here; the API needs it")
		return
	}
	for i, secret := range secrets {
		different := map[byte]bool{}
		for _, b := range secret {
			different[b] = true
		}
		if len(different) < fewBytes {
			d.Fault("settings.token_secret", "draw one at random, such as with `openssl rand -hex 32`", "the token secret can be guessed (number %d of %d): anybody can make himself an admin", i+1, len(secrets))
			return
		}
	}
	detail := "tokens are signed with one secret"
	if len(secrets) > 1 {
		detail = fmt.Sprintf("tokens are signed with the first of %d secrets; drop the others when the tokens that they signed are over, 24 hours after the change", len(secrets))
	}
	d.OK("settings.token_secret", "%s", detail)
}
