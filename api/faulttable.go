package api

import "slices"

// faults is the only table of sign-in failures: pages, doctor and the log take their texts from it. The codes are those
// of https://learn.microsoft.com/entra/identity-platform/reference-error-codes and of
// https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations that an app, or a user on a
// terminal, can run into. Settings have azidentity's and this project's names.
func faults() []knownFault {
	return slices.Concat(appFaults(), tenantFaults(), assertionFaults(), personFaults(), loginFaults())
}

func appFaults() []knownFault {
	return []knownFault{
		{SecretWrong, ErrCredential, []string{"7000215", "70002"}, Advice{
			"Entra says that the client secret is wrong.",
			"The operator of this bot must set AZURE_CLIENT_SECRET to the value of a client secret, not to its id, or make a new one under Certificates & secrets of the app registration.",
		}},
		{SecretExpired, ErrCredential, []string{"7000222"}, Advice{
			"The client secret of this bot's app has expired.",
			"The operator of this bot must make a new one under Certificates & secrets of the app registration in Entra, and set AZURE_CLIENT_SECRET.",
		}},
		{CredentialAbsent, ErrCredential, []string{"7000216", "7000218", "50192"}, Advice{
			"Entra was given neither a secret nor a certificate.",
			"The operator of this bot must set AZURE_CLIENT_SECRET, a certificate or a federated token file; to sign in as a person, the app registration must allow public client flows under Authentication.",
		}},
		{AppUnknown, ErrCredential, []string{"700016", "700011", "70001"}, Advice{
			"Entra knows no such app in this tenant.",
			"The operator of this bot must copy the Application (client) ID to AZURE_CLIENT_ID and the Directory (tenant) ID to AZURE_TENANT_ID, both from the overview of the app registration.",
		}},
		{AppNotInTenant, ErrCredential, []string{"7000229"}, Advice{
			"The app of this bot is not in this tenant.",
			"An administrator of Entra must grant admin consent in the tenant of AZURE_TENANT_ID, which brings the app in.",
		}},
		{AppDisabled, ErrCredential, []string{"7000112"}, Advice{
			"The app of this bot is disabled in Entra.",
			"An administrator of Entra must enable it under Enterprise applications > Properties.",
		}},
		{AppPublic, ErrCredential, []string{"700025"}, Advice{
			"The app of this bot is a public client, which takes no secret.",
			"An administrator of Entra must switch off Allow public client flows under Authentication of the app registration, or give the bot another app.",
		}},
		{AppUnassigned, ErrPermission, []string{"501051", "50105"}, Advice{
			"Defender's application in Entra takes only apps and people that are assigned to it.",
			"An administrator of Entra must assign this bot's app to WindowsDefenderATP under Enterprise applications, or switch off Assignment required there.",
		}},
		{ConsentAbsent, ErrPermission, []string{"65001", "65004", "65005", "650056", "650057", "90093", "90094"}, Advice{
			"Consent to the permissions of this bot's app is missing.",
			"An administrator of Entra must grant it under API permissions > Grant admin consent of the app registration.",
		}},
		{ResourceUnknown, ErrLicence, []string{"500011", "650052", "650054", "50001"}, Advice{
			"This tenant does not know Defender's API.",
			"It has no Defender for Endpoint: ask an administrator of Defender. If it has, the operator of this bot must correct DEFENDER_SCOPE, DEFENDER_CLOUD or AZURE_TENANT_ID.",
		}},
		{ResourceDisabled, ErrLicence, []string{"500014"}, Advice{
			"Defender's application is disabled in this tenant.",
			"An administrator of Entra must enable WindowsDefenderATP under Enterprise applications > Properties.",
		}},
		{ScopeWrong, ErrCredential, []string{"1002012", "70011", "28002", "28003"}, Advice{
			"The scope that this bot asks for is not valid.",
			"The operator of this bot must leave DEFENDER_SCOPE empty, or end it in /.default where Defender is not Microsoft's own.",
		}},
	}
}

func tenantFaults() []knownFault {
	return []knownFault{
		{TenantUnknown, ErrCredential, []string{"90002", "900023", "90019", "50059", "50128"}, Advice{
			"Entra knows no such tenant in this cloud.",
			"The operator of this bot must copy the Directory (tenant) ID to AZURE_TENANT_ID from the overview of the app registration, and check DEFENDER_CLOUD.",
		}},
		{TenantRestricted, ErrCredential, []string{"50002", "500021", "500022", "500212", "500213"}, Advice{
			"A tenant restriction keeps this bot from its tenant.",
			"The administrator of the network or of Entra must allow the tenant: the proxy on the way sends a list of allowed tenants, or a cross-tenant policy refuses.",
		}},
		{CloudWrong, ErrCredential, []string{"900382", "900432", "1000104", "50049"}, Advice{
			"The app or the tenant is in another cloud than the one that this bot signs in to.",
			"The operator of this bot must correct DEFENDER_CLOUD and AZURE_AUTHORITY_HOST.",
		}},
		{PolicyBlocks, ErrCredential, []string{"53003", "53000", "53001", "53002", "53004", "53010", "53011", "530031", "530032", "530034", "530035", "50005", "50131", "50097", "50158"}, Advice{
			"A Conditional Access policy of this tenant blocks the sign-in.",
			"An administrator of Entra must let the app in, from the address of the bot's machine, under Protection > Conditional Access; the sign-in logs name the policy.",
		}},
	}
}

func assertionFaults() []knownFault {
	return []knownFault{
		{CertificateUnknown, ErrCredential, []string{"700027", "700030", "50012", "7000214"}, Advice{
			"The certificate is not one of this bot's app.",
			"The operator of this bot must add it under Certificates & secrets of the app registration, or set AZURE_CLIENT_CERTIFICATE_PATH to the right one.",
		}},
		{CertificateExpired, ErrCredential, []string{"1000502"}, Advice{
			"The certificate of this bot's app has expired, or is not valid yet.",
			"The operator of this bot must make a new one, add it under Certificates & secrets of the app registration, and set AZURE_CLIENT_CERTIFICATE_PATH.",
		}},
		{AssertionTime, ErrCredential, []string{"700024", "500133", "50013"}, Advice{
			"What this bot signs in with is not valid at this time.",
			"The operator of this bot must set the clock of its machine; with a workload identity, the file of AZURE_FEDERATED_TOKEN_FILE must be renewed.",
		}},
		{AssertionApp, ErrCredential, []string{"700021", "50048"}, Advice{
			"What this bot signs in with is of another app.",
			"The operator of this bot must check AZURE_CLIENT_ID and the certificate or token file.",
		}},
		{AssertionAudience, ErrCredential, []string{"700023"}, Advice{
			"What this bot signs in with is for another login host.",
			"The operator of this bot must check AZURE_AUTHORITY_HOST and DEFENDER_CLOUD.",
		}},
		{AssertionBroken, ErrCredential, []string{"50027", "50006"}, Advice{
			"What this bot signs in with cannot be read.",
			"The operator of this bot must check the file of AZURE_FEDERATED_TOKEN_FILE or AZURE_CLIENT_CERTIFICATE_PATH.",
		}},
		{TokenFileAbsent, ErrCredential, nil, Advice{
			"The token file of this bot's workload identity cannot be read.",
			"The operator of this bot must set AZURE_FEDERATED_TOKEN_FILE to a file that the bot may read; in Kubernetes, the pod needs the label azure.workload.identity/use and the service account.",
		}},
		{FederationAbsent, ErrCredential, []string{"70021", "70025"}, Advice{
			"No federated credential of this bot's app fits the token file.",
			"The operator of this bot must add one under Certificates & secrets > Federated credentials of the app registration.",
		}},
		{FederationIssuer, ErrCredential, []string{"700211"}, Advice{
			"No federated credential of this bot's app fits the issuer of the token file.",
			"The operator of this bot must add the issuer under Certificates & secrets > Federated credentials of the app registration.",
		}},
		{FederationSubject, ErrCredential, []string{"700213"}, Advice{
			"No federated credential of this bot's app fits the subject of the token file.",
			"The operator of this bot must compare namespace and service account under Certificates & secrets > Federated credentials of the app registration.",
		}},
		{FederationAudience, ErrCredential, []string{"700212"}, Advice{
			"No federated credential of this bot's app fits the audience of the token file.",
			"The operator of this bot must set the audience to api://AzureADTokenExchange on both sides, or to that of the cloud.",
		}},
		{IdentityUnassigned, ErrCredential, nil, Advice{
			"This machine has no such managed identity.",
			"The operator of this bot must assign the identity of AZURE_CLIENT_ID to the machine, or switch on its system-assigned identity, under Identity of the resource in Azure.",
		}},
		{IdentityAway, ErrUnavailable, nil, Advice{
			"No managed identity service answers on this machine.",
			"The operator of this bot must run it on an Azure resource with an identity and let it reach 169.254.169.254, or set a secret, a certificate or a workload identity.",
		}},
	}
}

func personFaults() []knownFault {
	return []knownFault{
		{PersonAgain, ErrCredential, []string{
			"50076", "50078", "50079", "50074", "50072", "50058", "50132", "50133", "50173", "70008", "70016", "70018", "70019", "70043", "700082", "700084", "50126", "50055",
		}, Advice{
			"Entra wants the person to sign in again.",
			"Sign in again; where a second factor is wanted, with a browser.",
		}},
		{PersonUnknown, ErrCredential, []string{"16000", "50020", "50034", "51004", "50014"}, Advice{
			"This person is not in the tenant.",
			"Sign in with an account of the tenant of AZURE_TENANT_ID.",
		}},
		{PersonDisabled, ErrCredential, []string{"50057", "50053"}, Advice{
			"The account is disabled or locked.",
			"An administrator of Entra must enable or unlock it.",
		}},
	}
}

func loginFaults() []knownFault {
	return []knownFault{
		{LoginLoop, ErrUnavailable, []string{"50196"}, Advice{
			"Entra has seen the same request too often and refuses it for some minutes.",
			"The operator of this bot must look for a program that asks in a loop with the same app, such as one that restarts again and again. Entra lets the bot in by itself after that.",
		}},
		{LoginBusy, ErrUnavailable, []string{"90033", "50033", "90006", "90012", "90024", "90055", "50000", "50087", "50166"}, Advice{
			"Entra has trouble of its own.",
			"Try again in a few minutes; Microsoft's service health says more.",
		}},
		{LoginForeign, ErrUnavailable, nil, Advice{
			"Something else than Entra answers at the login address, as a proxy or a firewall does.",
			"The operator of this bot must have its machine reach Entra's login host past it, and check HTTPS_PROXY and AZURE_AUTHORITY_HOST.",
		}},
		{LoginTLS, ErrUnavailable, []string{"1002016"}, Advice{
			"The connection to Entra uses a version of TLS that is too old.",
			"The operator of this bot must see what opens the connection on the way: this bot itself asks for TLS 1.2 or later.",
		}},
		{LoginDeclined, ErrCredential, nil, Advice{
			"Entra refuses the sign-in for a reason that this bot has no words for.",
			"An administrator of Entra finds the code in the sign-in logs and in Microsoft's list of error codes.",
		}},
	}
}
