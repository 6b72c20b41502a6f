using Flotta.ApiServer.Discovery;
using Flotta.ApiServer.Selection;
using Flotta.ApiServer.Storage;

namespace Flotta.ApiServer.Verbs;

/// <summary>Which objects a list, a watch or a deletecollection is about.</summary>
internal sealed class ObjectSelection
{
    private readonly ServedResource served;
    private readonly LabelSelector labels;
    private readonly FieldSelector fields;

    private ObjectSelection(ServedResource served, string? within, LabelSelector labels, FieldSelector fields)
    {
        this.served = served;
        this.labels = labels;
        this.fields = fields;
        Within = fields.Exact("metadata.namespace") is { Length: > 0 } named && within is null && served.Definition.Namespaced ? named : within;
        Name = fields.Exact("metadata.name");
    }

    /// <summary>Only in this namespace; null: all.</summary>
    public string? Within { get; }

    /// <summary>Only this name; null: all.</summary>
    public string? Name { get; }

    public bool IsEverything => labels.IsEverything && fields.IsEverything;

    /// <exception cref="StatusException">A selector that cannot be read.</exception>
    public static ObjectSelection From(ObjectRequest request)
    {
        try
        {
            var byField = FieldSelector.Parse(request.Query("fieldSelector"), request.Served.Definition.SelectableFields);
            if (request.Name.Length > 0)
                byField = FieldSelector.Parse("metadata.name=" + request.Name, []);
            return new ObjectSelection(request.Served, request.Within, LabelSelector.Parse(request.Query("labelSelector")), byField);
        }
        catch (SelectorException e)
        {
            // Kinds without fields of their own say it in other words.
            throw new StatusException(Status.BadRequest(
                e.UnknownField is { } field && request.Served.Definition is { BuiltIn: true, SelectableFields.Count: 0 }
                    ? $"{Definitions.GoText.Quote(field)} is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
                    : e.Message));
        }
    }

    public bool Matches(StoredObject one)
    {
        if (Within is not null && one.Key.Namespace != Within)
            return false;
        if (!fields.IsEverything
            && !fields.Matches(one.Key.Name, served.Definition.Namespaced ? one.Key.Namespace : null, () => WireForm.Parse(one, served)))
        {
            return false;
        }

        return labels.IsEverything || labels.Matches(StoredMetadata.Of(one).Labels);
    }

    /// <summary>In order, after a place.</summary>
    public IEnumerable<StoredObject> Of(StoreState state, (string Namespace, string Name)? after)
    {
        if (Name is { Length: > 0 } name && (Within is not null || !served.Definition.Namespaced))
        {
            var one = state.Get(served.Key(Within ?? "", name));
            return one is not null && Matches(one) && (after is not { } place || ByName.Order.Compare(one, StoredObject.Probe(served.Key(place.Namespace, place.Name))) > 0) ? [one] : [];
        }

        var all = state.List(served.Resource, Within, after);
        return IsEverything ? all : all.Where(Matches);
    }
}
