using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Flotta.EdgeApi.Sessions;
using Flotta.Kube;
using k8s.Models;
using Microsoft.Extensions.Logging;

namespace Flotta.EdgeApi.Certificates;

internal sealed record IssuedCertificate(string Pem, string Serial, DateTimeOffset NotAfter, string Fingerprint);

/// <summary>Our certificate authority: finds or makes its certificates, signs for devices, and renews what grows old while everything runs.</summary>
internal sealed partial class Authority(KubeApi api, EdgeApiOptions options, ILoggerFactory loggers, TimeProvider time)
{
    private static readonly TimeSpan CheckEvery = TimeSpan.FromMinutes(10);

    private readonly ILogger logger = loggers.CreateLogger<Authority>();
    private readonly CertificateSecrets secrets = new(api, options.OperatorNamespace);
    private readonly SemaphoreSlim bootstrapping = new(1);
    private readonly SemaphoreSlim refreshing = new(1);
    private readonly SemaphoreSlim news = new(0);
    private readonly RateLimit secondLooks = new(1, 3, time);
    private AuthorityState? state;

    public AuthorityState State => Volatile.Read(ref state) ?? throw new InvalidOperationException("the authority has not started");

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await RefreshAsync(cancellationToken);
        await BootstrapAsync(cancellationToken);
    }

    /// <summary>Looks whenever a Secret changes, and every ten minutes all the same, whether a certificate has lived two thirds of its life.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var names = new ObjectCache<V1Secret>(api, new() { Namespace = options.OperatorNamespace, Transform = NameOnly }, loggers, time);
        names.Changed += _ => news.Release();
        var watching = names.RunAsync(cancellationToken);
        var failures = 0;
        while (!cancellationToken.IsCancellationRequested)
        {
            await WaitAsync(failures > 0 ? Backoff.ForConnections.After(failures) : CheckEvery * (0.8 + (0.4 * Random.Shared.NextDouble())), cancellationToken);
            try
            {
                if (!cancellationToken.IsCancellationRequested)
                    await StartAsync(cancellationToken);
                failures = 0;
            }
            catch (Exception error) when (!cancellationToken.IsCancellationRequested)
            {
                // The last good ones stay in use, and what has changed is looked at soon.
                failures++;
                LogNotRefreshed(error.Message);
            }
            catch (OperationCanceledException)
            {
                break;
            }
        }

        await watching;
    }

    /// <summary>
    /// For a certificate that no known CA signed: another replica may have a new one since a moment ago. Rarely, because anybody can show such a certificate.
    /// </summary>
    public async ValueTask LookAgainAsync(CancellationToken cancellationToken)
    {
        if (!secondLooks.TryTake())
            return;
        try
        {
            await RefreshAsync(cancellationToken);
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested)
        {
            LogNotRefreshed(error.Message);
        }
    }

    private async Task WaitAsync(TimeSpan most, CancellationToken cancellationToken)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var changed = news.WaitAsync(end.Token);
        await Task.WhenAny(changed, Task.Delay(most, time, end.Token));
        await end.CancelAsync();
        await changed.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        // What changes together is looked at once.
        while (await news.WaitAsync(0, CancellationToken.None))
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private static V1Secret NameOnly(V1Secret secret) =>
        new() { Metadata = new V1ObjectMeta { Name = secret.Metadata.Name, NamespaceProperty = secret.Metadata.NamespaceProperty, Uid = secret.Metadata.Uid, ResourceVersion = secret.Metadata.ResourceVersion } };

    /// <summary>Signs for one device; pure but for the serial and the time.</summary>
    public IssuedCertificate Sign(SigningRequest request, string deviceId, string deviceNamespace)
    {
        var serial = Issue.RandomSerial();
        var now = State;
        using var certificate = Issue.Device(now.Ca, request.Key, deviceId, deviceNamespace, options.ClientCertificateDays, serial, time.GetUtcNow());
        return new(
            // A device that knows only an earlier CA finds the way from there to the one that signed.
            certificate.ExportCertificatePem() + "\n" + now.BridgesPem,
            Convert.ToHexStringLower(serial),
            new DateTimeOffset(certificate.NotAfter.ToUniversalTime()),
            request.Fingerprint);
    }

    /// <summary>One bootstrap certificate serves until two thirds of its life have passed; then there is a new one, and the old one counts until it expires.</summary>
    public async Task<BootstrapMaterial> BootstrapAsync(CancellationToken cancellationToken)
    {
        await bootstrapping.WaitAsync(cancellationToken);
        try
        {
            // One state throughout: the CA may be followed by another one meanwhile.
            var (now, with) = (time.GetUtcNow(), State);
            var found = await secrets.BootstrapsAsync(cancellationToken);
            if (!found.Any(pair => IsGood(pair, with, now)))
            {
                var name = CertificateSecrets.NewBootstrapName();
                using var key = KeyPem.Like(with.Ca);
                using var certificate = Issue.Bootstrap(with.Ca, key, name, Issue.RandomSerial(), now);
                await secrets.AddBootstrapAsync(name, (certificate.ExportCertificatePem() + "\n" + with.BridgesPem, KeyPem.Write(key)), cancellationToken);
                // Two replicas may have made one each: all of them use the first.
                found = await secrets.BootstrapsAsync(cancellationToken);
            }

            foreach (var old in found.Where(pair => HasExpired(pair, now)))
                await secrets.RemoveAsync(old.Name, cancellationToken);
            var chosen = found.First(pair => IsGood(pair, with, now));
            return new(with.CaPem, chosen.CertificatePem, chosen.KeyPem);
        }
        finally
        {
            bootstrapping.Release();
        }
    }

    private async Task RefreshAsync(CancellationToken cancellationToken)
    {
        await refreshing.WaitAsync(cancellationToken);
        try
        {
            var storedCa = await secrets.CaAsync(NewCa, cancellationToken);
            if (Succession.Next(storedCa, options, time.GetUtcNow()) is { } next)
            {
                storedCa = await secrets.ChangeCaAsync(storedCa, next, cancellationToken);
                LogChanged(storedCa.Name);
            }

            var (ca, _) = AuthorityState.ReadCa(storedCa);
            var storedServer = await secrets.ServerAsync(() => NewServer(ca, storedCa.BridgesPem), cancellationToken);
            var server = AuthorityState.Join(storedServer);
            if (IsOurs(server) && !Serves(server, ca))
            {
                storedServer = await secrets.RenewServerAsync(storedServer, NewServer(ca, storedCa.BridgesPem), cancellationToken);
                LogRenewed(storedServer.Name);
            }

            if (state?.IsOf(storedCa, storedServer) != true)
                Volatile.Write(ref state, new AuthorityState(storedCa, storedServer));
        }
        finally
        {
            refreshing.Release();
        }
    }

    private (string Certificate, string Key) NewCa()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = Issue.Ca(key, Issue.RandomSerial(), time.GetUtcNow());
        return (certificate.ExportCertificatePem() + "\n", KeyPem.Write(key));
    }

    private (string Certificate, string Key) NewServer(X509Certificate2 ca, string bridges)
    {
        using var key = KeyPem.Like(ca);
        using var certificate = Issue.Server(ca, key, options.Domain, Addresses(), Issue.RandomSerial(), time.GetUtcNow());
        return (certificate.ExportCertificatePem() + "\n" + bridges, KeyPem.Write(key));
    }

    private List<IPAddress> Addresses()
    {
        var addresses = new List<IPAddress>();
        if (options.TlsLocalhost)
            addresses.AddRange([IPAddress.Loopback, IPAddress.IPv6Loopback]);
        if (!options.Listen.Equals(IPAddress.Any) && !options.Listen.Equals(IPAddress.IPv6Any) && !addresses.Contains(options.Listen))
            addresses.Add(options.Listen);
        return addresses;
    }

    // A certificate that people brought is theirs to renew.
    internal static bool IsOurs(X509Certificate2 server) => server.Subject.Contains("O=" + Issue.Organization, StringComparison.Ordinal);

    private bool Serves(X509Certificate2 server, X509Certificate2 ca)
    {
        var names = server.Extensions.OfType<X509SubjectAlternativeNameExtension>().FirstOrDefault();
        return new TrustedAuthorities([ca]).IsSignedByUs(server)
            && !IsOld(server, time.GetUtcNow())
            && names?.EnumerateDnsNames().Contains(options.Domain, StringComparer.OrdinalIgnoreCase) == true
            && Addresses().All(address => names.EnumerateIPAddresses().Contains(address));
    }

    private static bool IsGood(StoredPair pair, AuthorityState with, DateTimeOffset now)
    {
        try
        {
            using var certificate = KeyPem.Join(pair.CertificatePem, pair.KeyPem);
            return !IsOld(certificate, now) && new TrustedAuthorities([with.Ca]).Check(certificate, now) == Chaining.Valid;
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    private static bool HasExpired(StoredPair pair, DateTimeOffset now)
    {
        try
        {
            using var certificate = X509Certificate2.CreateFromPem(pair.CertificatePem);
            return certificate.NotAfter.ToUniversalTime() < now.UtcDateTime;
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    internal static bool IsOld(X509Certificate2 certificate, DateTimeOffset now)
    {
        var (from, until) = (certificate.NotBefore.ToUniversalTime(), certificate.NotAfter.ToUniversalTime());
        return now.UtcDateTime > from + ((until - from) * (2.0 / 3.0));
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "The CA in secret {Name} has changed")]
    private partial void LogChanged(string name);

    [LoggerMessage(Level = LogLevel.Information, Message = "Renewed the certificate in secret {Name}")]
    private partial void LogRenewed(string name);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Certificates could not be looked at: {Error}")]
    private partial void LogNotRefreshed(string error);
}
