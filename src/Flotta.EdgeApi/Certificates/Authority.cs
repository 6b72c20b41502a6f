using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Flotta.Kube;
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
    private AuthorityState? state;

    public AuthorityState State => Volatile.Read(ref state) ?? throw new InvalidOperationException("the authority has not started");

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await RefreshAsync(cancellationToken);
        await BootstrapAsync(cancellationToken);
    }

    /// <summary>Looks every ten minutes whether the secrets changed or a certificate has lived two thirds of its life.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            await Task.Delay(CheckEvery * (0.8 + (0.4 * Random.Shared.NextDouble())), time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            try
            {
                if (!cancellationToken.IsCancellationRequested)
                    await StartAsync(cancellationToken);
            }
            catch (Exception error) when (!cancellationToken.IsCancellationRequested)
            {
                // The last good ones stay in use.
                LogNotRefreshed(error.Message);
            }
        }
    }

    /// <summary>Signs for one device; pure but for the serial and the time.</summary>
    public IssuedCertificate Sign(SigningRequest request, string deviceId, string deviceNamespace)
    {
        var serial = Issue.RandomSerial();
        using var certificate = Issue.Device(State.Ca, request.Key, deviceId, deviceNamespace, options.ClientCertificateDays, serial, time.GetUtcNow());
        return new(
            certificate.ExportCertificatePem() + "\n",
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
            var now = time.GetUtcNow();
            var found = await secrets.BootstrapsAsync(cancellationToken);
            if (!found.Any(pair => IsGood(pair, now)))
            {
                var name = CertificateSecrets.NewBootstrapName();
                using var key = KeyPem.Like(State.Ca);
                using var certificate = Issue.Bootstrap(State.Ca, key, name, Issue.RandomSerial(), now);
                await secrets.AddBootstrapAsync(name, (certificate.ExportCertificatePem() + "\n", KeyPem.Write(key)), cancellationToken);
                // Two replicas may have made one each: all of them use the first.
                found = await secrets.BootstrapsAsync(cancellationToken);
            }

            foreach (var old in found.Where(pair => HasExpired(pair, now)))
                await secrets.RemoveAsync(old.Name, cancellationToken);
            var chosen = found.First(pair => IsGood(pair, now));
            return new(State.CaPem, chosen.CertificatePem, chosen.KeyPem);
        }
        finally
        {
            bootstrapping.Release();
        }
    }

    private async Task RefreshAsync(CancellationToken cancellationToken)
    {
        var storedCa = await secrets.CaAsync(NewCa, cancellationToken);
        var (ca, trusted) = AuthorityState.ReadCa(storedCa);
        var storedServer = await secrets.ServerAsync(() => NewServer(ca), cancellationToken);
        var server = AuthorityState.Join(storedServer);
        if (IsOurs(server) && !Serves(server, trusted))
        {
            storedServer = await secrets.RenewServerAsync(storedServer, NewServer(ca), cancellationToken);
            LogRenewed(storedServer.Name);
        }

        if (state?.IsOf(storedCa, storedServer) != true)
            Volatile.Write(ref state, new AuthorityState(storedCa, storedServer));
    }

    private (string Certificate, string Key) NewCa()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = Issue.Ca(key, Issue.RandomSerial(), time.GetUtcNow());
        return (certificate.ExportCertificatePem() + "\n", KeyPem.Write(key));
    }

    private (string Certificate, string Key) NewServer(X509Certificate2 ca)
    {
        using var key = KeyPem.Like(ca);
        using var certificate = Issue.Server(ca, key, options.Domain, Addresses(), Issue.RandomSerial(), time.GetUtcNow());
        return (certificate.ExportCertificatePem() + "\n", KeyPem.Write(key));
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
    private static bool IsOurs(X509Certificate2 server) => server.Subject.Contains("O=" + Issue.Organization, StringComparison.Ordinal);

    private bool Serves(X509Certificate2 server, TrustedAuthorities trusted)
    {
        var names = server.Extensions.OfType<X509SubjectAlternativeNameExtension>().FirstOrDefault();
        return trusted.IsSignedByUs(server)
            && !IsOld(server, time.GetUtcNow())
            && names?.EnumerateDnsNames().Contains(options.Domain, StringComparer.OrdinalIgnoreCase) == true
            && Addresses().All(address => names.EnumerateIPAddresses().Contains(address));
    }

    private bool IsGood(StoredPair pair, DateTimeOffset now)
    {
        try
        {
            using var certificate = KeyPem.Join(pair.CertificatePem, pair.KeyPem);
            return !IsOld(certificate, now) && State.Trusted.Check(certificate, now) == Chaining.Valid;
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

    private static bool IsOld(X509Certificate2 certificate, DateTimeOffset now)
    {
        var (from, until) = (certificate.NotBefore.ToUniversalTime(), certificate.NotAfter.ToUniversalTime());
        return now.UtcDateTime > from + ((until - from) * (2.0 / 3.0));
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Renewed the certificate in secret {Name}")]
    private partial void LogRenewed(string name);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Certificates could not be looked at: {Error}")]
    private partial void LogNotRefreshed(string error);
}
