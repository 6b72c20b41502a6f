using System.Text.Json.Nodes;
using Flotta.ApiServer.Definitions;

namespace Flotta.ApiServer.OpenApi;

/// <summary>The OpenAPI documents that kubectl explain, apply and validation read.</summary>
internal static class OpenApiDocuments
{
    public static bool IsBuilt => false;

    /// <summary>/openapi/v2 as JSON.</summary>
    public static JsonObject V2(IReadOnlyList<ResourceDefinition> definitions) => throw new NotSupportedException("not built yet");

    /// <summary>/openapi/v2 as `application/com.github.proto-openapi.spec.v2@v1.0+protobuf` (gnostic's openapi.v2.Document), the only form kubectl accepts.</summary>
    public static byte[] V2Protobuf(IReadOnlyList<ResourceDefinition> definitions) => throw new NotSupportedException("not built yet");

    /// <summary>/openapi/v3/apis/GROUP/VERSION (or /openapi/v3/api/v1): the definitions given are those of one group and version.</summary>
    public static JsonObject V3(IReadOnlyList<ResourceDefinition> definitions) => throw new NotSupportedException("not built yet");
}
