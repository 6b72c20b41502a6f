using System.Net;

namespace Flotta.Operator.Admission;

/// <summary>Where the webhooks are served, and whose certificate they show.</summary>
public sealed record WebhookOptions
{
    public IPAddress Listen { get; init; } = IPAddress.Loopback;

    /// <summary>0 picks a free one.</summary>
    public int Port { get; init; } = 9443;

    public string Namespace { get; init; } = Resources.Names.OperatorNamespace;

    /// <summary>Whether we make the certificate and tell the API server of it; else cert-manager, or a person, does.</summary>
    public bool SelfManaged { get; init; } = true;

    internal TimeSpan Lifetime { get; init; } = TimeSpan.FromDays(365);

    internal TimeSpan CheckEvery { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>From telling the API server of a new authority to showing its certificate.</summary>
    internal TimeSpan Settle { get; init; } = TimeSpan.FromSeconds(20);
}
