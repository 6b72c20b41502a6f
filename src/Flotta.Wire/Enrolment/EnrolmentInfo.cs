using System.Text.Json.Serialization;

namespace Flotta.Wire;

/// <summary>Content of the directive <c>enrolment</c>.</summary>
public sealed record EnrolmentInfo
{
    public EnrolmentFeatures? Features { get; init; }

    public string? TargetNamespace { get; init; }

    /// <summary>Ours: a PEM CSR that binds the approval to its key. The original ignores it.</summary>
    public string? CertificateRequest { get; init; }
}

public sealed record EnrolmentFeatures
{
    [JsonPropertyName("modelName")]
    public string? ModelName { get; init; }

    public HardwareInfo? Hardware { get; init; }
}

/// <summary>Content of the directive <c>registration</c>.</summary>
public sealed record RegistrationInfo
{
    public HardwareInfo? Hardware { get; init; }

    /// <summary>PEM PKCS#10.</summary>
    public string? CertificateRequest { get; init; }
}

/// <summary>Content of the answer to the directive <c>registration</c>.</summary>
public sealed record RegistrationResponse
{
    public string? Certificate { get; init; }
}
