using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Flotta.ApiServer.Definitions;
using Flotta.ApiServer.OpenApi;
using Flotta.ApiServer.Verbs;
using Microsoft.AspNetCore.Http;

namespace Flotta.ApiServer.Discovery;

/// <summary>The read-only paths that say what there is.</summary>
internal sealed class DiscoveryRoutes(ResourceCatalog catalog, Func<string> address)
{
    // It is asked for with an @ in its name, which is no valid media type and must not be answered with.
    private const string OpenApiProtobuf = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

    private readonly OpenApiCache documents = new();

    /// <summary>False: the path is something else.</summary>
    public async Task<bool> TryHandleAsync(HttpContext http, string[] path)
    {
        var served = catalog.Current;
        JsonObject? document;
        switch (path)
        {
            case ["version"]:
                document = ServerVersion.Document;
                break;
            case []:
                document = new JsonObject { ["paths"] = new JsonArray([.. Paths(served).Select(one => (JsonNode)one)]) };
                break;
            case ["api" or "apis"] when AggregatedDiscovery.Wanted(http) is { } version:
                await AggregatedAsync(http, served, version, path[0] == "api");
                return true;
            case ["api"]:
                document = DiscoveryDocuments.CoreVersions(address());
                break;
            case ["api", var version]:
                document = DiscoveryDocuments.Resources(served, "", version);
                break;
            case ["apis"]:
                document = DiscoveryDocuments.Groups(served);
                break;
            case ["apis", var group]:
                document = DiscoveryDocuments.Group(served, group);
                break;
            case ["apis", var group, var version]:
                document = DiscoveryDocuments.Resources(served, group, version);
                break;
            case ["openapi", "v2"]:
                await OpenApiV2Async(http, served);
                return true;
            case ["openapi", "v3"]:
                document = OpenApiIndex(served);
                break;
            case ["openapi", "v3", "api", var version]:
                return await OpenApiV3Async(http, served, "", version);
            case ["openapi", "v3", "apis", var group, var version]:
                return await OpenApiV3Async(http, served, group, version);
            default:
                return false;
        }

        if (document is null)
            return false;
        if (!HttpMethods.IsGet(http.Request.Method) && !HttpMethods.IsHead(http.Request.Method))
            throw new StatusException(Status.MethodNotAllowed);
        await Answer.JsonAsync(http, document);
        return true;
    }

    private async Task AggregatedAsync(HttpContext http, ServedResources served, string version, bool core)
    {
        var document = documents.Get(served, $"discovery/{version}/{core}", () => AggregatedDiscovery.Document(served, version, core));
        var tag = $"\"{Convert.ToHexString(SHA512.HashData(document))}\"";
        http.Response.Headers.ETag = tag;
        http.Response.Headers.Vary = "Accept";
        if (http.Request.Headers.IfNoneMatch.ToString() == tag)
            http.Response.StatusCode = StatusCodes.Status304NotModified;
        else
            await Answer.BytesAsync(http, document, type: AggregatedDiscovery.MediaType(version));
    }

    private async Task OpenApiV2Async(HttpContext http, ServedResources served)
    {
        var protobuf = http.Request.Headers.Accept.ToString().Contains("proto-openapi.spec.v2", StringComparison.Ordinal);
        await Answer.BytesAsync(
            http,
            documents.Get(served, protobuf ? "v2.pb" : "v2", () => protobuf ? OpenApiDocuments.V2Protobuf(Definitions(served)) : Bytes(OpenApiDocuments.V2(Definitions(served)))),
            type: protobuf ? OpenApiProtobuf : "application/json");
    }

    private async Task<bool> OpenApiV3Async(HttpContext http, ServedResources served, string group, string version)
    {
        var some = Definitions(served).Where(one => one.Group == group && one.Version == version).ToList();
        if (some.Count == 0)
            return false;
        await Answer.BytesAsync(http, documents.Get(served, $"v3/{group}/{version}", () => Bytes(OpenApiDocuments.V3(some))));
        return true;
    }

    // The hash changes with the definitions, so that clients may keep a document for as long as it is the same.
    private static JsonObject OpenApiIndex(ServedResources served)
    {
        var paths = new JsonObject();
        foreach (var group in served.All.GroupBy(one => one.Definition.ApiVersion, StringComparer.Ordinal))
        {
            var path = (group.First().Definition.Group.Length == 0 ? "api/" : "apis/") + group.Key;
            var of = string.Join(' ', group.Select(one => $"{one.Resource} {one.Source?.Revision ?? 0}"));
            var hash = Convert.ToHexString(SHA512.HashData(Encoding.UTF8.GetBytes(ServerVersion.Git + of)));
            paths[path] = new JsonObject { ["serverRelativeURL"] = $"/openapi/v3/{path}?hash={hash}" };
        }

        return new JsonObject { ["paths"] = paths };
    }

    private static IEnumerable<string> Paths(ServedResources served) =>
        ((string[])["/api", "/api/v1", "/apis", "/healthz", "/livez", "/openapi/v2", "/openapi/v3", "/readyz", "/version"])
        .Concat(served.All.Where(one => one.Definition.Group.Length > 0).SelectMany(
            one => (string[])[$"/apis/{one.Definition.Group}", $"/apis/{one.Definition.ApiVersion}"]))
        .Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal);

    private static List<ResourceDefinition> Definitions(ServedResources served) => [.. served.All.Select(one => one.Definition)];

    private static byte[] Bytes(JsonObject value) => Encoding.UTF8.GetBytes(value.ToJsonString(Json.Relaxed));
}
