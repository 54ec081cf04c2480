package bundle

import (
	"strings"
	"sync"
)

// documented are the members of Defender's software, devices, vulnerabilities, updates and recommendations, by Microsoft's
// documents of its API.
const documented = `
id name vendor weaknesses publicExploit activeAlert exposedMachines installedMachines impactScore isNormalized category distributions
computerDnsName firstSeen lastSeen osPlatform osVersion osProcessor osArchitecture osBuild version lastIpAddress lastExternalIpAddress agentVersion
healthStatus deviceValue rbacGroupId rbacGroupName riskScore exposureLevel isAadJoined aadDeviceId machineTags defenderAvStatus onboardingStatus
managedBy managedByStatus ipAddresses ipAddress macAddress type operationalStatus vmMetadata vmId cloudProvider resourceId subscriptionId isExcluded
exclusionReason isPotentialDuplication mergedIntoMachineId
description severity cvssV3 cvssVector publishedOn updatedOn firstDetected patchFirstAvailable exploitVerified exploitInKit exploitTypes exploitUris
cveSupportability tags epss
cveId machineId fixingKbId productName productVendor productVersion softwareName softwareVendor softwareVersion deviceId deviceName diskPaths
registryPaths missingKBs productsNames url machineMissedOn cveAddressed recommendationName remediationType status relatedComponent
error code message target details innerError date request-id client-request-id`

var members = sync.OnceValue(func() map[string]bool {
	all := map[string]bool{}
	for name := range strings.FieldsSeq(documented) {
		all[name] = true
	}
	return all
})
