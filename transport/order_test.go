package transport

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestOrder(t *testing.T) {
	addr := rapid.Custom(func(t *rapid.T) netip.Addr {
		b := rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "bytes")
		if rapid.Bool().Draw(t, "IPv4") {
			return netip.AddrFrom4([4]byte(b))
		}
		return netip.AddrFrom16([16]byte{0x20, 0x01, 12: b[0], b[1], b[2], b[3]})
	})
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.SliceOfN(addr, 1, 12).Draw(t, "addresses")
		turn := rapid.Uint64().Draw(t, "turn")
		out := order(in, turn)
		require.ElementsMatch(t, in, out, "nothing is lost or added")
		require.Equal(t, in[0].Is4(), out[0].Is4(), "the preferred family leads")

		left := map[bool]int{}
		for _, a := range in {
			left[a.Is4()]++
		}
		for i, a := range out {
			if i > 0 && left[!out[i-1].Is4()] > 0 {
				require.NotEqual(t, out[i-1].Is4(), a.Is4(), "families alternate while both last")
			}
			left[a.Is4()]--
		}
	})
}

func TestOrderRotatesWithinAFamily(t *testing.T) {
	in := []netip.Addr{netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("10.0.0.3")}
	var starts []string
	for turn := range uint64(4) {
		starts = append(starts, order(in, turn)[0].String())
	}
	require.Equal(t, []string{"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.1"}, starts)
}
