using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Flotta.Kube;
using Microsoft.Extensions.Logging;

namespace Flotta.Operator.Admission;

/// <summary>
/// Keeps the webhooks' certificate: made where there is none, renewed while it serves, shared by all replicas through a Secret. A new one is shown
/// only after the API server has been told for a while to trust its authority; until then, and for replicas that are later, the one before counts.
/// </summary>
internal sealed partial class WebhookCertificates(KubeApi api, WebhookOptions options, ILoggerFactory loggers, TimeProvider time)
{
    private readonly ILogger logger = loggers.CreateLogger<WebhookCertificates>();
    private readonly WebhookSecret secret = new(api, options.Namespace);
    private readonly WebhookRegistration registration = new(api);
    private volatile SslStreamCertificateContext? shown;
    private WebhookPair? current;
    private (WebhookPair Pair, long Since)? next;

    public SslStreamCertificateContext Shown => shown ?? throw new InvalidOperationException("there is no certificate yet");

    /// <summary>The certificate to begin with. Throws where there is none and none may be made.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        Show(await PairAsync(cancellationToken));
        await TrustAsync(current!, cancellationToken);
    }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        for (var failures = 0; ;)
        {
            var wait = failures == 0 ? options.CheckEvery * (0.9 + (0.2 * Random.Shared.NextDouble())) : Backoff.ForConnections.After(failures);
            await Task.Delay(wait, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (cancellationToken.IsCancellationRequested) return;
            try
            {
                await LookAsync(cancellationToken);
                failures = 0;
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception error)
            {
                failures++;
                LogFailed(error.Message);
            }
        }
    }

    private async Task LookAsync(CancellationToken cancellationToken)
    {
        var pair = await PairAsync(cancellationToken);
        await TrustAsync(pair, cancellationToken);
        if (pair == current)
        {
            next = null;
            return;
        }

        if (next?.Pair != pair) next = (pair, time.GetTimestamp());
        // API servers learn of the new authority by their watches.
        if (time.GetElapsedTime(next.Value.Since) < options.Settle) return;
        Show(pair);
        next = null;
        LogRenewed();
    }

    private async Task<WebhookPair> PairAsync(CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            var there = await secret.ReadAsync(cancellationToken);
            if (!options.SelfManaged)
                return there?.Pair ?? throw new OperatorStartException($"The secret {options.Namespace}/{WebhookSecret.Name} has no tls.crt and tls.key; WEBHOOK_CERTIFICATES=external leaves it to somebody else to make them.");
            if (there?.Pair is { } pair && !pair.IsDue(time.GetUtcNow())) return pair;
            var made = WebhookPair.Issue(options.Namespace, time.GetUtcNow(), options.Lifetime, there?.Pair);
            if (await secret.TryWriteAsync(made, there?.Version, there?.Type, cancellationToken)) return made;
            // Another replica was first: its certificate counts.
            if (attempt == 5) throw new TimeoutException($"the secret {options.Namespace}/{WebhookSecret.Name} changes all the time");
        }
    }

    private async Task TrustAsync(WebhookPair pair, CancellationToken cancellationToken)
    {
        // cert-manager's injector does it otherwise.
        if (options.SelfManaged && !await registration.TrustAsync(pair.AuthoritiesPem, cancellationToken)) LogNobodyAsks(WebhookRegistration.Name);
    }

    private void Show(WebhookPair pair)
    {
        shown = SslStreamCertificateContext.Create(pair.Open(), new X509Certificate2Collection(), offline: true);
        current = pair;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The webhooks' certificate could not be looked after: {Error}")]
    private partial void LogFailed(string error);

    [LoggerMessage(Level = LogLevel.Information, Message = "The webhooks show a new certificate")]
    private partial void LogRenewed();

    [LoggerMessage(Level = LogLevel.Debug, Message = "There is no ValidatingWebhookConfiguration {Name}: nobody asks the webhooks")]
    private partial void LogNobodyAsks(string name);
}
