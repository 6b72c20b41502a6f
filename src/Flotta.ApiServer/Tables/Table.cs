using System.Text.Json.Nodes;
using Flotta.ApiServer.Definitions;

namespace Flotta.ApiServer.Tables;

internal enum IncludeObject
{
    Metadata,
    None,
    Object,
}

/// <summary>meta.k8s.io Tables: what kubectl get prints.</summary>
internal static class Table
{
    /// <param name="definition">Whose columns.</param>
    /// <param name="objects">The rows.</param>
    /// <param name="listMetadata">The list's (or for a single object its) resourceVersion, continue, remainingItemCount.</param>
    /// <param name="include">What each row carries of its object.</param>
    /// <param name="withColumns">False for the second and later events of a watch.</param>
    /// <param name="version">v1 or v1beta1.</param>
    /// <param name="now">Ages are counted to here.</param>
    public static JsonObject Render(
        ResourceDefinition definition, IEnumerable<JsonObject> objects, JsonObject listMetadata, IncludeObject include, bool withColumns, string version, DateTimeOffset now) =>
        throw new NotSupportedException("not built yet");
}
