package simulation

import "github.com/neticket/neticket/internal/protocol"

// Mistakes make the protocol another one, which must be found broken.
type Mistakes struct {
	Scripts protocol.Mistakes

	EpochAfterPause bool // a resync reads MySQL's epoch between the pause and the bump
	EpochAfterBump  bool // a resync reads MySQL's epoch after the bump, right before it raises it
	NoCompareAndSet bool // the epoch is raised whatever it is
	BlindBump       bool // a resync does not look at the answer of its bump
	NoBump          bool // a resync never says bump
	SettleFirst     bool // entries are settled, then their rows are committed
	StaleCancel     bool // a cancel entry counts in any epoch
	StaleReserve    bool // a reserve entry counts in any epoch
	TermsUnchecked  bool // a capacity below the confirmed units is not refused
	NoVerify        bool // a guardian subscribes wherever it connects
	SubscribeFirst  bool // a guardian subscribes, then distrusts
	RowThenEpoch    bool // a look-up reads the row, and the epoch later
	RowThenMarkers  bool // a look-up reads the row, and the markers later
	ForgetDrain     bool // a resync does not drain
	NoSweep         bool // nobody looks for entries without an owner
	SwapAnswers     bool // two requests that share a call get each other's answers
	LoadAnew        bool // a resync whose load is not answered begins again, under the same token
}
