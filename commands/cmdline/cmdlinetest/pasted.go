// Package cmdlinetest gives tests the lines that people type and paste, so that the reader and every command are held to the same
// ones.
package cmdlinetest

// Pasted returns the ways in which people paste a software id, as formats: the id is %[1]s, its escaped form %[2]s.
func Pasted() []string {
	return []string{
		"%[1]s", " %[1]s ", "%[1]s.", "%[1]s,", "%[1]s;", "%[1]s:", "%[1]s!", "%[1]s?", "%[1]s…", ",%[1]s",
		"*%[1]s*", "_%[1]s_", "~%[1]s~", "**%[1]s**", "*_%[1]s_*", "*%[1]s*.", "*%[1]s.*", "`%[1]s`", "`%[1]s`,", "```%[1]s```", "```\n%[1]s\n```",
		`"%[1]s"`, `'%[1]s'`, "“%[1]s”", "„%[1]s“", "‘%[1]s’", "«%[1]s»", "‹%[1]s›", "＂%[1]s＂", "「%[1]s」", "“%[1]s”,", "“%[1]s,”", `"%[1]s`, "%[1]s”",
		"(%[1]s)", "[%[1]s]", "{%[1]s}", "(%[1]s", "%[1]s).", "<%[1]s>", "&lt;%[1]s&gt;", "⟨%[1]s⟩",
		"> %[1]s", "&gt; %[1]s", ">%[1]s", "• %[1]s", "•%[1]s", "- %[1]s", "– %[1]s",
		"id=%[1]s", "id = %[1]s", "id: %[1]s", "ID:%[1]s", "software: %[1]s", "Software:%[1]s", "software id: %[1]s", "softwareId=%[1]s", "software_id=%[1]s", "software-id: %[1]s",
		"*software:* %[1]s", "software: `%[1]s`", "software: *%[1]s*", `"id": "%[1]s",`, `"id":"%[1]s"`, "id eq '%[1]s'", "id %[1]s", "software %[1]s",
		"va-_-%[1]s", "VA-_-%[1]s", "`va-_-%[1]s`.", "id=va-_-%[1]s",
		"https://security.microsoft.com/software-inventory/%[2]s", "https://security.microsoft.com/software-inventory/%[2]s?tid=0d5a2c2e-1b1f-4a5b-9b3c-6d0000000000",
		"https://security.microsoft.com/vulnerability-management-inventories/applications/%[2]s", "https://security.microsoft.com/vulnerability-management-inventories/applications/%[2]s/overview?tid=0d5a2c2e",
		"https://security.microsoft.com/software-inventory/applications/%[2]s/", "https://security.microsoft.us/vulnerability-management-inventories/applications/%[2]s?tid=1#top",
		"https://security.microsoft.com/security-recommendations/va-_-%[2]s", "https://security.microsoft.com/#/software/%[2]s/details", "https://security.microsoft.com/x?softwareId=%[2]s&tid=2",
		"security.microsoft.com/software-inventory/%[2]s", "HTTPS://SECURITY.MICROSOFT.COM/software-inventory/%[2]s.",
		"https://api.security.microsoft.com/api/Software/%[2]s/getmissingkbs", "https://eu.api.security.microsoft.com/api/software/%[2]s", "https://api-us.securitycenter.microsoft.com/api/Software/%[2]s/getmissingkbs,",
		"GET https://api-gov.securitycenter.microsoft.us/api/Software/%[2]s/machineReferences", "https://api.securitycenter.windows.com/api/Software('%[2]s')", "https://api.security.microsoft.com/api/Software?$filter=id%%20eq%%20'%[2]s'",
		"/api/Software/%[2]s/getmissingkbs", "api/Software/%[2]s",
		"<https://security.microsoft.com/software-inventory/%[2]s>", "<https://security.microsoft.com/software-inventory/%[2]s|Edge – Microsoft Defender>", "&lt;https://security.microsoft.com/software-inventory/%[2]s|Edge&gt;",
		"<https://security.microsoft.com/software-inventory/%[2]s?tid=1&amp;x=2|security.microsoft.com/…>", "<http://%[1]s|%[1]s>", "<https://example.com/|%[1]s>", "*<https://security.microsoft.com/software-inventory/%[2]s|Edge>*",
		"[Edge in Defender](https://security.microsoft.com/software-inventory/%[2]s)", "(https://security.microsoft.com/software-inventory/%[2]s)", "\"https://security.microsoft.com/software-inventory/%[2]s\"",
		"https://eur02.safelinks.protection.outlook.com/?url=https%%3A%%2F%%2Fsecurity.microsoft.com%%2Fsoftware-inventory%%2F%[2]s%%3Ftid%%3D1&data=05%%7C01%%7C&reserved=0",
		"/missingkbs %[1]s", "missingkbs ask %[1]s",
	}
}
