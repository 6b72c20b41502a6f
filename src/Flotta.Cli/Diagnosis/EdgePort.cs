using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Flotta.Cli.Diagnosis;

/// <summary>What a device meets at the Edge API's address.</summary>
internal sealed class EdgePort(string host, int port, TimeProvider time)
{
    private const string Check = "edge";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>What a handshake has shown.</summary>
    private sealed record Shown(X509Certificate2? Certificate, X509Certificate2Collection Between, bool AskedForCertificate);

    /// <param name="authorities">Whom the devices trust; null where that is not known.</param>
    public async Task<IReadOnlyList<Finding>> FindAsync(X509Certificate2Collection? authorities, CancellationToken cancellationToken)
    {
        Shown shown;
        try
        {
            shown = await GreetAsync(SslProtocols.Tls13, cancellationToken);
        }
        catch (SocketException closed)
        {
            return [Finding.Error(Check, $"nobody listens at {host}:{port} ({closed.Message})", "Is the Edge API running, does --listen or the Service lead there, and does a firewall stand between?")];
        }
        catch (Exception failed) when (failed is AuthenticationException or IOException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return [Finding.Error(Check, $"{host}:{port} does not speak TLS 1.3 ({failed.Message})", "Devices need TLS 1.3 all the way: what stands before the Edge API must pass TLS through and not end it")];
        }

        var findings = new List<Finding>();
        if (!shown.AskedForCertificate)
            findings.Add(Finding.Error(Check, $"{host}:{port} asks for no client certificate, so no device can say who it is", "What stands before the Edge API must pass TLS through and not end it"));
        if (shown.Certificate is { } certificate)
            findings.AddRange(Certificate(certificate, shown.Between, authorities));
        if (await SpeaksOldAsync(cancellationToken))
            findings.Add(Finding.Warning(Check, $"{host}:{port} also speaks TLS 1.2", "The Edge API speaks only 1.3: something else ends the devices' TLS"));
        return findings.Count > 0 ? findings : [Finding.Ok(Check, $"{host}:{port} speaks TLS 1.3 and asks for client certificates")];
    }

    private IEnumerable<Finding> Certificate(X509Certificate2 certificate, X509Certificate2Collection between, X509Certificate2Collection? authorities)
    {
        if (authorities is not null && !Certificates.IsSignedBy(certificate, authorities, between))
            yield return Finding.Error(Check, $"what {host}:{port} shows ({certificate.Subject}) is not signed by the CA in flotta/flotta-ca", "Another server answers there, or the Edge API has the Secrets of another installation");
        var dates = Certificates.Dates($"the certificate at {host}:{port}", certificate, time.GetUtcNow(), "Restart the Edge API, and look at its log");
        if (dates.Health != Health.Ok)
            yield return dates with { Check = Check };
        if (!certificate.MatchesHostname(host, allowWildcards: true, allowCommonName: false))
            yield return Finding.Warning(Check, $"the certificate at {host}:{port} is not for the name {host}", "Devices that check names need DOMAIN to be the name that they call");
    }

    private async Task<bool> SpeaksOldAsync(CancellationToken cancellationToken)
    {
        try
        {
            await GreetAsync(SslProtocols.Tls12, cancellationToken);
            return true;
        }
        catch (Exception refused) when (refused is AuthenticationException or IOException or SocketException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }

    private async Task<Shown> GreetAsync(SslProtocols protocol, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(Patience, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        using var client = new TcpClient();
        await client.ConnectAsync(host, port, both.Token);
        var (asked, between) = (false, new X509Certificate2Collection());
        await using var tls = new SslStream(client.GetStream());
        await tls.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = host,
                EnabledSslProtocols = protocol,
#pragma warning disable CA5359 // It is looked at afterwards, and nothing is sent.
                RemoteCertificateValidationCallback = (_, _, chain, _) =>
                {
                    foreach (var element in chain?.ChainPolicy.ExtraStore ?? [])
                        between.Add(X509CertificateLoader.LoadCertificate(element.RawData));
                    return true;
                },
#pragma warning restore CA5359
                // Asked once before the server has said anything, and again when it wants a certificate.
                LocalCertificateSelectionCallback = (_, _, _, remote, _) =>
                {
                    asked |= remote is not null;
                    return null!;
                },
            },
            both.Token);
        return new(tls.RemoteCertificate is { } shown ? X509CertificateLoader.LoadCertificate(shown.GetRawCertData()) : null, between, asked);
    }
}
