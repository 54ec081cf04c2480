package sqlitefile

import "testing"

func TestNetworkName(t *testing.T) {
	t.Parallel()
	for magic, want := range map[int64]string{
		0x6969: "NFS", 0xfe534d42: "SMB", -0x1acb2be: "SMB", 0x1021997: "9p", 0xbd00bd0: "Lustre", 0xef53: "", 0x58465342: "", 0x794c7630: "",
	} {
		if got := networkName(magic); got != want {
			t.Errorf("%#x: %q, want %q", magic, got, want)
		}
	}
}
