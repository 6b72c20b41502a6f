using System.Text;
using Flotta.ApiServer.Definitions;
using Flotta.ApiServer.Storage;

namespace Flotta.ApiServer.Discovery;

/// <summary>A definition and where its objects are kept.</summary>
internal sealed record ServedResource(ResourceDefinition Definition)
{
    /// <summary>Written into what is stored; objects of other versions are converted by name only.</summary>
    public required string StorageApiVersion { get; init; }

    /// <summary>The CRD that it comes from, as it was when this was read; null for built-in kinds.</summary>
    public StoredObject? Source { get; init; }

    /// <summary>The CRD is being deleted: nothing new may be made.</summary>
    public bool Terminating { get; init; }

    /// <summary>The resource's name in storage.</summary>
    public string Resource { get; } = (Definition.StoredAs ?? Definition).QualifiedPlural;

    /// <summary>How the bytes of an object begin that is stored as this version shows it.</summary>
    public byte[] Prefix { get; } = Encoding.UTF8.GetBytes($"{{\"apiVersion\":\"{Definition.ApiVersion}\",");

    public ObjectKey Key(string @namespace, string name) => new(Resource, Definition.Namespaced ? @namespace : "", name);
}
