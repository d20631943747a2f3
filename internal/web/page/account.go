package page

// Account is a form of an account: log in, sign up, change the password. Passwords are not in it: they are typed again.
type Account struct {
	Email, Name string            // as they were typed
	Fault       string            // of the form as a whole
	Faults      map[string]string // by field
	Again       int               // seconds after which to try again; 0: not said
	Taken       bool              // the email address has an account
	Needed      bool              // the page that was asked for needs a login
}
